package io.nightshift.jobs.retention;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Of each of so many, the last backup is kept. */
enum Period {
    DAY("daily", "uuuu-MM-dd"),
    WEEK("weekly", "YYYY-'W'ww"),
    MONTH("monthly", "uuuu-MM"),
    YEAR("yearly", "uuuu");

    private final String adjective;
    private final DateTimeFormatter name;

    Period(String adjective, String pattern) {
        this.adjective = adjective;
        this.name = DateTimeFormatter.ofPattern(pattern, Locale.GERMANY); // weeks as ISO 8601 counts them
    }

    String adjective() {
        return adjective;
    }

    /** So many of them, such as 4 weeks. */
    String count(int number) {
        return number + " " + name().toLowerCase(Locale.ROOT) + (number == 1 ? "" : "s");
    }

    /** The one that a moment is in, such as 2026-W48. */
    String of(ZonedDateTime moment) {
        return name.format(moment);
    }
}
