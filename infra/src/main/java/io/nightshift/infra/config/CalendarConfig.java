package io.nightshift.infra.config;

import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Times that schedules leave out or keep to: holidays, change freezes, maintenance windows. A time is in the calendar
 * when it is in any part of it.
 *
 * @param zone by whose wall clock; the program's when the file names none
 * @param days whole days, such as holidays
 * @param weekly stretches of every week
 * @param windows single stretches
 * @param icalendar events of an iCalendar file (RFC 5545), absolute or beside the calendar's own file; null for none
 */
public record CalendarConfig(
        String name,
        ZoneId zone,
        List<CalendarDay> days,
        List<WeeklyWindow> weekly,
        List<DateWindow> windows,
        @Nullable Path icalendar) {

    public CalendarConfig {
        if (days.isEmpty() && weekly.isEmpty() && windows.isEmpty() && icalendar == null) {
            throw new IllegalArgumentException(
                    "the calendar holds nothing; accepted: days, weekly, windows or icalendar");
        }
    }

    static Map<String, Object> defaults() {
        return Map.of("days", List.of(), "weekly", List.of(), "windows", List.of());
    }
}
