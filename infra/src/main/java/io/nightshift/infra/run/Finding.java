package io.nightshift.infra.run;

import org.jspecify.annotations.Nullable;

/**
 * One thing wrong or worth knowing.
 *
 * @param key stable from night to night, such as {@code backup/checksum/base/16384/2619}: what makes it the same finding
 * @param subject the object concerned, as a person would name it
 * @param detail the fact, with its values
 * @param remedy what to do now; null when there is nothing to do
 * @param state what history says of it; {@link State#NEW} until the ledger has compared it
 */
public record Finding(
        String key,
        Severity severity,
        String subject,
        String detail,
        @Nullable String remedy,
        State state) {

    /** What history says of a finding. */
    public enum State {
        NEW,
        STILL,
        RESOLVED,
        SUPPRESSED
    }

    public Finding(String key, Severity severity, String subject, String detail, @Nullable String remedy) {
        this(key, severity, subject, detail, remedy, State.NEW);
    }

    public Finding as(State state) {
        return new Finding(key, severity, subject, detail, remedy, state);
    }

    boolean isOpenError() {
        return severity.isAtLeast(Severity.ERROR) && (state == State.NEW || state == State.STILL);
    }
}
