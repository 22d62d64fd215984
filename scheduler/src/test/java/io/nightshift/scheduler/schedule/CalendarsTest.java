package io.nightshift.scheduler.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.CalendarConfig;
import io.nightshift.infra.config.CalendarDay;
import io.nightshift.infra.config.DateWindow;
import io.nightshift.infra.config.Schedule.Cron;
import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.infra.config.Schedule.Every;
import io.nightshift.infra.config.WeeklyWindow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CalendarsTest {

    private static final ZoneId NAIROBI = ZoneId.of("Africa/Nairobi");

    @TempDir
    private Path directory;

    private static CalendarConfig calendar(
            List<CalendarDay> days, List<WeeklyWindow> weekly, List<DateWindow> windows, @Nullable Path icalendar) {
        return new CalendarConfig("away", NAIROBI, days, weekly, windows, icalendar);
    }

    private static Schedule schedule(CalendarConfig calendar, List<String> except, List<String> only) {
        var cron = new Cron("0 1 * * *", NAIROBI, Dst.SHIFT, except, only, null, null, Duration.ZERO);
        return new Schedules(Map.of("away", calendar)).of(cron).orElseThrow();
    }

    private static List<DueTime> nights(CalendarConfig calendar, List<String> except, List<String> only) {
        return schedule(calendar, except, only)
                .between(Instant.parse("2026-12-23T12:00:00Z"), Instant.parse("2026-12-27T12:00:00Z"));
    }

    @Test
    void leaves_out_a_holiday_of_every_year_and_says_which() {
        var holidays = calendar(
                List.of(CalendarDay.parse("12-25 Christmas"), CalendarDay.parse("2026-12-26")),
                List.of(),
                List.of(),
                null);

        var due = nights(holidays, List.of("away"), List.of());

        assertThat(due)
                .extracting(DueTime::excludedBy)
                .containsExactly(null, "in calendar away: 12-25 Christmas", "in calendar away: 2026-12-26", null);
    }

    @Test
    void tells_the_next_due_time_that_is_run_and_none_when_all_are_excluded() {
        var holiday = calendar(List.of(CalendarDay.parse("12-25 Christmas")), List.of(), List.of(), null);
        var never = calendar(List.of(), List.of(WeeklyWindow.parse("MON 00:00 - MON 00:00")), List.of(), null);
        Instant eve = Instant.parse("2026-12-24T12:00:00Z");

        assertThat(schedule(holiday, List.of("away"), List.of()).nextToRun(eve))
                .map(DueTime::at)
                .contains(Instant.parse("2026-12-25T22:00:00Z"));
        assertThat(schedule(never, List.of("away"), List.of()).nextToRun(eve)).isEmpty();
    }

    @Test
    void keeps_to_a_weekly_window_over_the_end_of_the_week() {
        var weekend = calendar(List.of(), List.of(WeeklyWindow.parse("SAT 00:00 - MON 00:00")), List.of(), null);

        var due = nights(weekend, List.of(), List.of("away"));

        // Thursday, Friday, Saturday, Sunday
        assertThat(due)
                .extracting(DueTime::excludedBy)
                .containsExactly("outside of calendar away", "outside of calendar away", null, null);
    }

    @Test
    void leaves_out_a_freeze_to_the_minute() {
        var freeze = calendar(
                List.of(),
                List.of(),
                List.of(DateWindow.parse("2026-12-24T01:00 - 2026-12-26T01:00 year-end freeze")),
                null);

        var due = nights(freeze, List.of("away"), List.of());

        assertThat(due).extracting(DueTime::isExcluded).containsExactly(true, true, false, false);
    }

    @Test
    void reads_whole_days_recurring_events_and_their_zones_from_an_icalendar_file() throws IOException {
        Path file = Files.writeString(directory.resolve("away.ics"), """
                BEGIN:VCALENDAR
                VERSION:2.0
                PRODID:-//nightshift//test//EN
                BEGIN:VEVENT
                UID:1
                DTSTAMP:20240101T000000Z
                DTSTART;VALUE=DATE:20201225
                RRULE:FREQ=YEARLY
                SUMMARY:Christmas
                END:VEVENT
                BEGIN:VEVENT
                UID:2
                DTSTAMP:20240101T000000Z
                DTSTART:20261225T210000Z
                DTEND:20261226T000000Z
                SUMMARY:Switch of the network
                END:VEVENT
                END:VCALENDAR
                """);

        var due = nights(calendar(List.of(), List.of(), List.of(), file), List.of("away"), List.of());

        assertThat(EventFile.problem(file)).isEmpty();
        assertThat(due)
                .extracting(DueTime::excludedBy)
                .containsExactly(null, "in calendar away: Christmas", "in calendar away: Switch of the network", null);
    }

    @Test
    void refuses_a_file_that_is_no_icalendar() throws IOException {
        Path file = Files.writeString(directory.resolve("away.ics"), "holidays: none\n");

        assertThat(EventFile.problem(file)).contains("iCalendar file " + file + " holds no event (VEVENT)");
    }

    @Test
    void refuses_a_file_of_which_a_time_or_a_rule_is_not_understood() throws IOException {
        Path file = Files.writeString(directory.resolve("away.ics"), """
                BEGIN:VCALENDAR
                VERSION:2.0
                PRODID:-//nightshift//test//EN
                BEGIN:VEVENT
                UID:1
                DTSTAMP:20240101T000000Z
                DTSTART;VALUE=DATE:20201225
                DTEND:when it is over
                END:VEVENT
                END:VCALENDAR
                """);

        assertThat(EventFile.problem(file))
                .hasValueSatisfying(problem ->
                        assertThat(problem).startsWith("iCalendar file " + file + " is not understood: line 8, DTEND"));
    }

    @Test
    void is_due_only_between_its_first_and_its_last_day() {
        var cron = new Cron(
                "0 1 * * *",
                NAIROBI,
                Dst.SHIFT,
                List.of(),
                List.of(),
                LocalDate.parse("2026-12-25"),
                LocalDate.parse("2026-12-26"),
                Duration.ZERO);
        Schedule schedule = new Schedules(Map.of()).of(cron).orElseThrow();

        var due = schedule.between(Instant.parse("2020-01-01T00:00:00Z"), Instant.parse("2030-01-01T00:00:00Z"));

        assertThat(due)
                .extracting(DueTime::at)
                .containsExactly(Instant.parse("2026-12-24T22:00:00Z"), Instant.parse("2026-12-25T22:00:00Z"));
    }

    @Test
    void counts_an_interval_from_midnight_whatever_the_clocks_do() {
        Schedule schedule = new Schedules(Map.of())
                .of(Every.of(Duration.ofMinutes(45), ZoneId.of("Europe/Berlin")))
                .orElseThrow();

        var due = schedule.between(Instant.parse("2026-10-25T00:00:00Z"), Instant.parse("2026-10-25T03:00:00Z"));

        assertThat(due)
                .extracting(DueTime::at)
                .containsExactly(
                        Instant.parse("2026-10-25T00:45:00Z"),
                        Instant.parse("2026-10-25T01:30:00Z"),
                        Instant.parse("2026-10-25T02:15:00Z"),
                        Instant.parse("2026-10-25T03:00:00Z"));
    }
}
