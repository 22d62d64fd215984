package io.nightshift.infra.backup;

import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A backup that exists: at least one storage has its backup.json, readable or not.
 *
 * @param document what it is; empty if no storage has a readable one
 * @param copies by the name of each storage asked
 */
public record StoredBackup(
        BackupPaths paths, BackupLabel label, Optional<BackupDocument> document, Map<String, Copy> copies) {

    /**
     * How a storage holds a backup, as far as a listing can see, and as the last reading back has found it: another may
     * find more.
     */
    public enum State {
        /** All objects are there, with the sizes that backup.json says. */
        OK,
        /** backup.json is not readable, an object is missing or of another size, or damage was read. */
        DAMAGED,
        /** There are objects but no backup.json yet. */
        COPYING,
        MISSING,
        /** The storage does not answer. */
        UNKNOWN
    }

    /**
     * One storage's copy.
     *
     * @param reason why it is not OK, in plain words
     * @param verifiedAt when all of it was last read back, whatever that has shown; null if its notes say nothing of it
     * @param proof what its last restore test has shown; null if its notes say nothing of it
     * @param pin the last word of whether somebody wants it kept; null if there is none
     */
    public record Copy(
            State state,
            String reason,
            @Nullable Instant verifiedAt,
            @Nullable Proof proof,
            @Nullable PinNote pin) {

        public Copy(State state, String reason, @Nullable Instant verifiedAt) {
            this(state, reason, verifiedAt, null, null);
        }

        public Copy(State state, String reason) {
            this(state, reason, null);
        }
    }

    /** What its last restore test has shown, whichever storage says so. */
    public Optional<Proof> proof() {
        return copies.values().stream()
                .flatMap(copy -> Stream.ofNullable(copy.proof()))
                .max(Proof.NEWEST_LAST);
    }

    /** The last word of whether somebody wants it kept, whichever storage says so. */
    public Optional<PinNote> pin() {
        return copies.values().stream()
                .flatMap(copy -> Stream.ofNullable(copy.pin()))
                .max(Comparator.comparing(PinNote::pinnedAt).thenComparing(note -> note.until() != null));
    }

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
