package io.nightshift.infra.config;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 90s}, {@code 15m}, {@code 1h30m}, {@code 7d}; ISO-8601 is read too. */
public final class Durations {

    static final String ACCEPTED = "accepted: a duration such as 500ms, 90s, 15m, 1h30m or 7d";

    private static final Pattern TEXT = Pattern.compile(
            "(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?(?:([0-9]{1,9})ms)?");

    private Durations() {}

    public static Duration parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!text.isEmpty() && parts.matches()) {
            return Duration.ofDays(amount(parts, 1))
                    .plusHours(amount(parts, 2))
                    .plusMinutes(amount(parts, 3))
                    .plusSeconds(amount(parts, 4))
                    .plusMillis(amount(parts, 5));
        }
        if (text.toUpperCase(Locale.ROOT).startsWith("P")) {
            return iso(text);
        }
        throw refused(text);
    }

    private static Duration iso(String text) {
        try {
            Duration parsed = Duration.parse(text);
            if (!parsed.isNegative()) {
                return parsed;
            }
        } catch (DateTimeParseException notIso) {
            throw refused(text);
        }
        throw refused(text);
    }

    private static IllegalArgumentException refused(String text) {
        return new IllegalArgumentException("\"" + text + "\" is not accepted; " + ACCEPTED);
    }

    private static long amount(Matcher parts, int group) {
        String digits = parts.group(group);
        return digits == null ? 0 : Long.parseLong(digits);
    }

    /** The form that {@link #parse} reads back, such as {@code 1h30m}; {@code 0s} for nothing at all. */
    public static String print(Duration duration) {
        if (duration.isNegative() || duration.toNanosPart() % 1_000_000 != 0) {
            return duration.toString();
        }
        var text = new StringBuilder();
        append(text, duration.toDaysPart(), "d");
        append(text, duration.toHoursPart(), "h");
        append(text, duration.toMinutesPart(), "m");
        append(text, duration.toSecondsPart(), "s");
        append(text, duration.toMillisPart(), "ms");
        return text.isEmpty() ? "0s" : text.toString();
    }

    private static void append(StringBuilder text, long amount, String unit) {
        if (amount != 0) {
            text.append(amount).append(unit);
        }
    }
}
