package io.nightshift.infra.postgres;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of the WAL: a fixed stretch of it on one timeline. Its name is the timeline and the number of the segment in
 * hexadecimal digits ({@code src/include/access/xlog_internal.h}, XLogFileName).
 *
 * @param number counted from the beginning of the WAL
 * @param size of the cluster's segments in bytes: a power of two from 1 MB to 1 GB
 */
public record WalSegment(Timeline timeline, long number, long size) implements Comparable<WalSegment> {

    /** Bytes of a segment, at least (initdb --wal-segsize). */
    public static final long SMALLEST = 1L << 20;

    private static final long LARGEST = 1L << 30;
    private static final Pattern NAME = Pattern.compile("([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})");

    public WalSegment {
        if (!isSize(size)) {
            throw new IllegalArgumentException("WAL segments of " + size
                    + " bytes do not exist: powers of two from 1048576 to 1073741824 are accepted");
        }
        if (number < 0 || number > -1L >>> Long.numberOfTrailingZeros(size)) {
            throw new IllegalArgumentException("WAL segment " + number + " of " + size + " bytes does not exist");
        }
    }

    /** Whether segments of a cluster can have so many bytes. */
    public static boolean isSize(long bytes) {
        return bytes >= SMALLEST && bytes <= LARGEST && Long.bitCount(bytes) == 1;
    }

    /** The segment in which the byte at this location lies. */
    public static WalSegment at(Timeline timeline, Lsn location, long size) {
        return new WalSegment(timeline, Long.divideUnsigned(location.position(), size), size);
    }

    /** Reads a name such as {@code 00000001000000000000000A}; empty if it is none of a segment of this size. */
    public static Optional<WalSegment> parse(String name, long size) {
        Matcher parts = NAME.matcher(name);
        if (!parts.matches()) {
            return Optional.empty();
        }
        int timeline = Integer.parseUnsignedInt(parts.group(1), 16);
        long log = Long.parseLong(parts.group(2), 16);
        long segment = Long.parseLong(parts.group(3), 16);
        return timeline == 0 || segment >= perLog(size)
                ? Optional.empty()
                : Optional.of(new WalSegment(new Timeline(timeline), log * perLog(size) + segment, size));
    }

    public String name() {
        return String.format("%08X%08X%08X", timeline.id(), number / perLog(size), number % perLog(size));
    }

    /** Where its first byte lies. */
    public Lsn start() {
        return new Lsn(number * size);
    }

    /** Where the next segment begins. */
    public Lsn end() {
        return new Lsn((number + 1) * size);
    }

    public WalSegment next() {
        return new WalSegment(timeline, number + 1, size);
    }

    private static long perLog(long size) {
        return (1L << 32) / size;
    }

    /** By their place in the WAL, then by timeline. */
    @Override
    public int compareTo(WalSegment other) {
        int byPlace = start().compareTo(other.start());
        return byPlace != 0 ? byPlace : timeline.compareTo(other.timeline);
    }

    @Override
    public String toString() {
        return name();
    }
}
