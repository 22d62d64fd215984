package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import java.time.Instant;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * What a restore test of a backup has shown.
 *
 * @param holds whether everything that was looked at is right
 * @param note all that is known of it; null if the note is not readable
 */
public record Proof(
        BackupLabel label,
        Instant at,
        boolean holds,
        @Nullable ProofNote note) {

    /** Of two in one second the worse is the last. */
    public static final Comparator<Proof> NEWEST_LAST =
            Comparator.comparing(Proof::at).thenComparing(Proof::holds, Comparator.reverseOrder());

    /** The same with what its note says; unchanged if that is not readable. */
    Proof readFrom(Storage storage, String object) {
        try {
            return new Proof(label, at, holds, ProofNote.read(BackupCatalog.read(storage, object)));
        } catch (NightshiftException | JacksonException unreadable) {
            return this;
        }
    }

    /** Why it does not hold, in plain words. */
    public String reason() {
        if (note == null || note.findings().isEmpty()) {
            return "its note is not readable";
        }
        int others = note.wrong() - 1;
        return note.findings().get(0) + (others > 0 ? " (and " + others + " more)" : "");
    }
}
