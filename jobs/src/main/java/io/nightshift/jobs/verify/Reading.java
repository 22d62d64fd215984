package io.nightshift.jobs.verify;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something that a storage holds and that is read at one go: a copy of a backup, or an object of the WAL archive.
 */
interface Reading {

    /** The name of the storage. */
    String storage();

    long bytes();

    /** When it was stored, or when what it holds ended. */
    Instant storedAt();

    /** When it was last read back; null if not since it was stored. */
    @Nullable
    Instant readAt();

    /** Whether it was read back when it was stored, as new backups are in every required storage. */
    boolean wasReadWhenStored();

    /** Since when nobody knows what it is. A time that the clock has not reached was written by a wrong one. */
    default Instant since(Instant now) {
        Instant read = readAt();
        if (read != null && !read.isAfter(now)) {
            return read;
        }
        return storedAt().isAfter(now) ? now : storedAt();
    }

    /** Whether it was read back in the round that ends now. */
    default boolean isRead(Instant roundBegan, Instant now) {
        Instant read = readAt();
        boolean isKnown = (read != null && !read.isAfter(now)) || wasReadWhenStored();
        return isKnown && !since(now).isBefore(roundBegan);
    }
}
