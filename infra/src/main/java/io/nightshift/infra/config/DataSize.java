package io.nightshift.infra.config;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of bytes, written with PostgreSQL's memory units: B, kB, MB, GB, TB, each 1024 of the one before; see
 * "Parameter Names and Values" in the PostgreSQL manual. Units are case-sensitive there, so they are here.
 *
 * @param bytes not negative
 */
public record DataSize(long bytes) implements Comparable<DataSize> {

    private static final List<String> UNITS = List.of("B", "kB", "MB", "GB", "TB");
    private static final Pattern TEXT = Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?) ?(B|kB|MB|GB|TB)");

    public DataSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("a size of " + bytes + " bytes does not exist");
        }
    }

    public static DataSize ofMegabytes(long megabytes) {
        return new DataSize(Math.multiplyExact(megabytes, 1L << 20));
    }

    /** Reads {@code 512kB}, {@code 64MB}, {@code 1.5GB}. */
    public static DataSize parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw refused(text);
        }
        var unit = BigDecimal.valueOf(1L << (10 * UNITS.indexOf(parts.group(2))));
        try {
            return new DataSize(new BigDecimal(parts.group(1)).multiply(unit).longValueExact());
        } catch (ArithmeticException partOfByteOrTooLarge) {
            throw refused(text);
        }
    }

    private static IllegalArgumentException refused(String text) {
        return new IllegalArgumentException(
                "\"" + text
                        + "\" is not accepted; accepted: a size with one of the units B, kB, MB, GB, TB, such as 512kB, 64MB or 1.5GB");
    }

    @Override
    public int compareTo(DataSize other) {
        return Long.compare(bytes, other.bytes);
    }

    /** The exact size in the largest unit that gives a whole number. */
    @Override
    public String toString() {
        int unit = 0;
        long amount = bytes;
        while (amount != 0 && amount % 1024 == 0 && unit < UNITS.size() - 1) {
            amount /= 1024;
            unit++;
        }
        return amount + UNITS.get(unit);
    }

    /** For people: three digits or so, such as {@code 79.2 MB}. */
    public String rounded() {
        if (bytes < 1024) {
            return bytes + " B";
        }
        int unit = 1;
        double amount = bytes / 1024.0;
        while (amount >= 999.5 && unit < UNITS.size() - 1) {
            amount /= 1024;
            unit++;
        }
        return String.format(
                Locale.ROOT,
                amount < 9.95 ? "%.2f %s" : amount < 99.95 ? "%.1f %s" : "%.0f %s",
                amount,
                UNITS.get(unit));
    }
}
