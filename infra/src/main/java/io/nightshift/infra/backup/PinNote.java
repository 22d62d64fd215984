package io.nightshift.infra.backup;

import io.nightshift.infra.storage.Storage;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Somebody wants a backup kept, or no longer: {@code notes/<time>-pinned.json} or {@code -unpinned.json} beside it. The
 * newest of all storages counts.
 *
 * @param pinnedAt whole seconds
 * @param until from when on it is kept by no pin; null of what ends one
 */
public record PinNote(
        int formatVersion,
        BackupLabel label,
        Instant pinnedAt,
        String reason,
        @Nullable Instant until) {

    private static final int FORMAT_VERSION = 1;
    private static final String PINNED = "pinned";
    private static final String UNPINNED = "unpinned";

    /** A note by its name. */
    record Named(String name, Instant at, boolean pins) {}

    public static PinNote pin(BackupLabel label, Instant now, String reason, Instant until) {
        return new PinNote(FORMAT_VERSION, label, now, reason, until);
    }

    public static PinNote unpin(BackupLabel label, Instant now, String reason) {
        return new PinNote(FORMAT_VERSION, label, now, reason, null);
    }

    /** Of one whose content nobody can read: for ever, as far as we know. */
    static PinNote unreadable(BackupLabel label, Instant at) {
        return pin(label, at, "its note is not readable", Instant.MAX);
    }

    /** Whether it keeps the backup. */
    public boolean pins(Instant now) {
        return until != null && now.isBefore(until);
    }

    /** Keeps it in a storage that holds the backup. Written once; a second one of the same second and word is not kept. */
    public void write(Storage storage, BackupPaths paths) {
        new NoteName(pinnedAt, until != null ? PINNED : UNPINNED).write(storage, paths, label, this);
    }

    /** The newest among the names of a backup's objects; of two in one second the one that pins. */
    static Optional<Named> newest(Collection<String> names) {
        return NoteName.of(names, Set.of(PINNED, UNPINNED))
                .map(note -> new Named(note.toString(), note.at(), note.word().equals(PINNED)))
                .max(Comparator.comparing(Named::at).thenComparing(Named::pins));
    }

    static PinNote read(byte[] bytes) {
        return BackupJson.MAPPER.readValue(bytes, PinNote.class);
    }
}
