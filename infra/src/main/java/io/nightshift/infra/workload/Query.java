package io.nightshift.infra.workload;

import java.util.Locale;

/**
 * A statement and what it has cost.
 *
 * @param user the OID of who spent most time on it
 * @param cut whether the text is not whole
 * @param share of the time of all statements of its database, 0 to 1
 */
public record Query(
        StatementName name, long user, String text, boolean cut, long calls, double milliseconds, double share) {

    private static final int SHORT = 90;

    public double mean() {
        return milliseconds / calls;
    }

    /** In one short line. */
    public String shortText() {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() <= SHORT
                ? line
                : line.substring(
                                0,
                                line.offsetByCodePoints(0, Math.min(SHORT - 1, line.codePointCount(0, line.length()))))
                        + "…";
    }

    /** Such as {@code 12.3 %}. */
    public String sharePercent() {
        return String.format(Locale.ROOT, "%.1f %%", share * 100);
    }
}
