package io.nightshift.jobs.verify;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * How much of what a storage holds was read back in the last round. Pure.
 *
 * @param bytes of all
 * @param read of those that were read back
 * @param late of those that nobody has read for longer than a round
 * @param oldest since when nobody has read that which waits longest; empty if there is nothing
 */
record Coverage(long bytes, long read, long late, Optional<Instant> oldest) {

    /** @param done what was read just now */
    static Coverage of(Collection<? extends Reading> readings, Set<Reading> done, Duration round, Instant now) {
        Instant began = now.minus(round);
        long bytes = 0;
        long read = 0;
        long late = 0;
        for (Reading reading : readings) {
            bytes += reading.bytes();
            if (done.contains(reading) || reading.isRead(began, now)) {
                read += reading.bytes();
            }
            if (!done.contains(reading) && reading.since(now).isBefore(began)) {
                late += reading.bytes();
            }
        }
        return new Coverage(
                bytes,
                read,
                late,
                readings.stream()
                        .map(reading -> done.contains(reading) ? now : reading.since(now))
                        .min(Comparator.naturalOrder()));
    }

    /** Of all bytes, in hundredths, rounded down: 100 is all. */
    long percent() {
        return bytes == 0 ? 100 : Math.multiplyHigh(read, 100) == 0 ? read * 100 / bytes : read / (bytes / 100);
    }
}
