package io.nightshift.infra.backup;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A backup that exists: at least one storage has its backup.json, readable or not.
 *
 * @param document what it is; empty if no storage has a readable one
 * @param copies by the name of each storage asked
 */
public record StoredBackup(
        BackupPaths paths, BackupLabel label, Optional<BackupDocument> document, Map<String, Copy> copies) {

    /** How a storage holds a backup, as far as a listing can see: reading everything back may find more. */
    public enum State {
        /** All objects are there, with the sizes that backup.json says. */
        OK,
        /** backup.json is not readable, or an object is missing or of another size. */
        DAMAGED,
        /** There are objects but no backup.json yet. */
        COPYING,
        MISSING,
        /** The storage does not answer. */
        UNKNOWN
    }

    /** One storage's copy; {@code reason} says why it is not OK, in plain words. */
    public record Copy(State state, String reason) {}

    /** Whether some storage holds all of it. */
    public boolean isRestorable() {
        return copies.values().stream().anyMatch(copy -> copy.state() == State.OK);
    }

    /** The names of the storages that hold it in this state. */
    public Set<String> storages(State state) {
        return copies.entrySet().stream()
                .filter(copy -> copy.getValue().state() == state)
                .map(Map.Entry::getKey)
                .collect(Collectors.toUnmodifiableSet());
    }
}
