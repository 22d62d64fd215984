package io.nightshift.infra.backup;

import io.nightshift.infra.storage.Storage;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;

/**
 * What a reading back has shown, kept beside the backup: {@code notes/<time>-verified.json} or {@code -damaged.json}. The
 * newest of a storage's copy counts. Its name alone says the verdict, so that damage to the note itself hides nothing.
 *
 * @param storage as it was called then
 * @param verifiedAt whole seconds
 * @param storedBytes read
 * @param files whose content matched the manifest
 * @param damaged how many damages there were
 * @param damages the first of them, in plain words
 */
public record VerificationNote(
        int formatVersion,
        BackupLabel label,
        String storage,
        Instant verifiedAt,
        long storedBytes,
        long files,
        int damaged,
        List<String> damages) {

    private static final String SOUND = "verified";
    private static final String DAMAGED = "damaged";
    private static final int FORMAT_VERSION = 1;
    private static final int MOST_DAMAGES = 100;

    /** A note by its name. */
    record Named(String name, Instant at, boolean sound) {}

    public VerificationNote {
        damages = List.copyOf(damages);
    }

    /**
     * Keeps a verdict in the storage that it is about. Written once; a second verdict of the same second and word is not
     * kept.
     */
    public static void write(Storage storage, BackupPaths paths, Verification verification, Instant now) {
        var note = new VerificationNote(
                FORMAT_VERSION,
                verification.label(),
                verification.storage(),
                now,
                verification.storedBytes(),
                verification.files(),
                verification.damages().size(),
                verification.damages().stream()
                        .limit(MOST_DAMAGES)
                        .map(Damage::toString)
                        .toList());
        new NoteName(now, verification.isSound() ? SOUND : DAMAGED).write(storage, paths, verification.label(), note);
    }

    /** Deletes the verdicts that a clock which was ahead has dated later than this. */
    public static void takeBack(BackupCopy copy, Instant now) {
        NoteName.of(copy.folder().objects().keySet(), Set.of(SOUND, DAMAGED))
                .filter(note -> note.at().isAfter(now))
                .forEach(note -> copy.storage().delete(copy.paths().object(copy.label(), note.toString())));
    }

    /** The newest verdict among the names of a backup's objects; of two in one second the worse. */
    static Optional<Named> newest(Collection<String> names) {
        return NoteName.of(names, Set.of(SOUND, DAMAGED))
                .map(note -> new Named(note.toString(), note.at(), note.word().equals(SOUND)))
                .max(Comparator.comparing(Named::at).thenComparing(Named::sound, Comparator.reverseOrder()));
    }

    /** What was found, of a note that says damaged. */
    static String reason(byte[] bytes) {
        try {
            VerificationNote note = BackupJson.MAPPER.readValue(bytes, VerificationNote.class);
            if (!note.damages().isEmpty()) {
                int others = note.damaged() - 1;
                return note.damages().get(0) + (others > 0 ? " (and " + others + " more)" : "");
            }
        } catch (JacksonException unreadable) {
            // The name has said what matters.
        }
        return "its note is not readable";
    }
}
