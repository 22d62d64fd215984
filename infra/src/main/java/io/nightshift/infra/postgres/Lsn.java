package io.nightshift.infra.postgres;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A write-ahead log location: an unsigned 64-bit byte position in the WAL, printed as {@code 16/3002D50}. Version 19
 * prints the low half with leading zeros, so locations are compared as numbers, never as text. 0/0 is PostgreSQL's
 * InvalidXLogRecPtr: no WAL record can start there.
 *
 * @param position bytes since the beginning of the WAL, unsigned
 */
public record Lsn(long position) implements Comparable<Lsn> {

    public static final Lsn INVALID = new Lsn(0);

    /** Behind all others. */
    public static final Lsn LAST = new Lsn(-1);

    private static final Pattern TEXT = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

    public static Lsn parse(String text) {
        Matcher halves = TEXT.matcher(text);
        if (!halves.matches()) {
            throw new IllegalArgumentException(
                    "\"" + text
                            + "\" is not a WAL location: two hexadecimal numbers with a slash between are accepted, such as 16/3002D50");
        }
        return new Lsn(Long.parseLong(halves.group(1), 16) << 32 | Long.parseLong(halves.group(2), 16));
    }

    public boolean isValid() {
        return position != 0;
    }

    public Lsn plus(long bytes) {
        return new Lsn(position + bytes);
    }

    /** Bytes from the other location to this one; negative when this one is older. */
    public long minus(Lsn other) {
        return position - other.position;
    }

    public boolean isBefore(Lsn other) {
        return compareTo(other) < 0;
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(position, other.position);
    }

    @Override
    public String toString() {
        return String.format("%X/%X", position >>> 32, position & 0xFFFF_FFFFL);
    }
}
