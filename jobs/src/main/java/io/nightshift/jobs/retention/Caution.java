package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When a run must not let anything expire before a person has looked: a changed setting, a wrong clock and lost notes all
 * look like old backups. Pure.
 *
 * @param lastRunAt when retention last looked; null if it never has
 */
record Caution(@Nullable Instant lastRunAt) {

    /** Of all bytes, in hundredths: so much may expire in one run that nobody has announced. */
    static final int MOST_UNANNOUNCED = 25;

    /** Nightshift may have been away for that long; longer looks like a clock that was put forward. */
    static final Duration LONGEST_ABSENCE = Duration.ofDays(18);

    /** Clocks of two machines may differ by that much. */
    static final Duration SKEW = Duration.ofMinutes(10);

    /**
     * Why a person must say yes; empty if nothing is strange.
     *
     * @param going from each storage
     * @param newestBackup when the newest ended of which no person has said that it is fine; null if there is none
     */
    Optional<String> objection(Collection<Going> going, @Nullable Instant newestBackup, Instant now) {
        return clock(newestBackup, now)
                .or(() -> going.stream().flatMap(each -> amount(each).stream()).findFirst());
    }

    /** What speaks against the clock, whether or not anything expires; empty if nothing does. */
    Optional<String> clock(@Nullable Instant newestBackup, Instant now) {
        if (newestBackup != null && newestBackup.isAfter(now.plus(SKEW))) {
            return Optional.of("the clock says " + now + ", and the newest backup ended at " + newestBackup);
        }
        if (lastRunAt == null) {
            return Optional.empty();
        }
        if (lastRunAt.isAfter(now.plus(SKEW))) {
            return Optional.of("the clock says " + now + ", and retention last ran at " + lastRunAt);
        }
        Duration away = Duration.between(lastRunAt, now);
        return away.compareTo(LONGEST_ABSENCE) > 0
                ? Optional.of("retention last ran " + Durations.print(Duration.ofDays(away.toDays())) + " ago, at "
                        + lastRunAt + ", if the clock is right, which says " + now)
                : Optional.empty();
    }

    private static Optional<String> amount(Going going) {
        if (!going.surprises() || going.bytes() * 100 <= going.of() * MOST_UNANNOUNCED) {
            return Optional.empty();
        }
        String backups = surprising(going.backups());
        String wal = going.wal() == 0 ? "" : new DataSize(going.wal()).rounded() + " of WAL";
        return Optional.of(new DataSize(going.bytes()).rounded() + " of the " + new DataSize(going.of()).rounded()
                + " in storage " + going.storage() + " would expire, without an earlier word of "
                + backups + (backups.isEmpty() || wal.isEmpty() ? "" : ", and ") + wal);
    }

    private static String surprising(List<Candidate> backups) {
        if (backups.isEmpty()) {
            return "";
        }
        BackupLabel oldest = backups.get(backups.size() - 1).label();
        return backups.size() == 1
                ? "backup " + oldest
                : backups.size() + " backups, " + oldest + " the oldest of them";
    }
}
