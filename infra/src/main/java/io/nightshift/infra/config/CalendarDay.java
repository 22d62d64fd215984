package io.nightshift.infra.config;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.MonthDay;
import org.jspecify.annotations.Nullable;

/**
 * A whole day: of one year, or of every year.
 *
 * @param date null for every year
 * @param name of the holiday; null for none
 */
public record CalendarDay(
        MonthDay day, @Nullable LocalDate date, @Nullable String name) {

    /** Reads {@code 2026-12-25 Christmas} or, for every year, {@code 12-25 Christmas}; the name may be left out. */
    public static CalendarDay parse(String text) {
        int space = text.indexOf(' ');
        String day = space < 0 ? text : text.substring(0, space);
        String name = space < 0 ? null : text.substring(space + 1).strip();
        try {
            if (day.length() == "12-25".length()) {
                return new CalendarDay(MonthDay.parse("--" + day), null, name);
            }
            LocalDate date = LocalDate.parse(day);
            return new CalendarDay(MonthDay.from(date), date, name);
        } catch (DateTimeException noDay) {
            throw new IllegalArgumentException(
                    "\"" + text
                            + "\" is not accepted; accepted: a day such as 2026-12-25 Christmas, or 12-25 Christmas for every year");
        }
    }

    public boolean contains(LocalDate other) {
        return date == null ? day.equals(MonthDay.from(other)) : date.equals(other);
    }

    @Override
    public String toString() {
        String written = date == null ? day.toString().substring(2) : date.toString();
        return name == null ? written : written + " " + name;
    }
}
