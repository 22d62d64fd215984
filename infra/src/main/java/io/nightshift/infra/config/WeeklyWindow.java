package io.nightshift.infra.config;

import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A stretch of every week by the clock on the wall: {@code SAT 06:00 - SUN 22:00}, over the end of the week too.
 *
 * @param toTime excluded; 24:00 is written 00:00 of the next day
 */
public record WeeklyWindow(DayOfWeek fromDay, LocalTime fromTime, DayOfWeek toDay, LocalTime toTime) {

    private static final Pattern TEXT =
            Pattern.compile("([A-Za-z]{3}) ([0-9]{2}:[0-9]{2}) ?- ?([A-Za-z]{3}) ([0-9]{2}:[0-9]{2})");
    private static final Duration WEEK = Duration.ofDays(7);

    /** Reads {@code SAT 06:00 - SUN 22:00}. */
    public static WeeklyWindow parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw refused(text);
        }
        try {
            return new WeeklyWindow(
                    day(parts.group(1)).orElseThrow(() -> refused(text)),
                    LocalTime.parse(parts.group(2)),
                    day(parts.group(3)).orElseThrow(() -> refused(text)),
                    LocalTime.parse(parts.group(4)));
        } catch (DateTimeParseException noTime) {
            throw refused(text);
        }
    }

    private static Optional<DayOfWeek> day(String text) {
        return Arrays.stream(DayOfWeek.values())
                .filter(day -> abbreviated(day).equals(text.toUpperCase(Locale.ROOT)))
                .findFirst();
    }

    private static String abbreviated(DayOfWeek day) {
        return day.name().substring(0, 3);
    }

    private static IllegalArgumentException refused(String text) {
        return new IllegalArgumentException(
                "\"" + text + "\" is not accepted; accepted: a stretch of the week such as SAT 06:00 - SUN 22:00");
    }

    /** Whether the wall clock shows a time inside; a window from a time to the same time is the whole week. */
    public boolean contains(LocalDateTime wall) {
        Duration from = sinceMonday(fromDay, fromTime);
        Duration length = modulo(sinceMonday(toDay, toTime).minus(from));
        Duration passed =
                modulo(sinceMonday(wall.getDayOfWeek(), wall.toLocalTime()).minus(from));
        return length.isZero() || passed.compareTo(length) < 0;
    }

    private static Duration sinceMonday(DayOfWeek day, LocalTime time) {
        return Duration.ofDays(day.getValue() - 1L).plusNanos(time.toNanoOfDay());
    }

    private static Duration modulo(Duration duration) {
        return duration.isNegative() ? duration.plus(WEEK) : duration;
    }

    @Override
    public String toString() {
        return abbreviated(fromDay) + " " + fromTime + " - " + abbreviated(toDay) + " " + toTime;
    }
}
