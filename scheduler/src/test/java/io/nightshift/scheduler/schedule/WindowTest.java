package io.nightshift.scheduler.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.CalendarConfig;
import io.nightshift.infra.config.DateWindow;
import io.nightshift.infra.config.Missed.Policy;
import io.nightshift.infra.config.Schedule.Cron;
import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.infra.config.WeeklyWindow;
import io.nightshift.infra.config.WorkingDay;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** In Nairobi, three hours ahead of UTC, on Wednesday 25 November 2026 and the days around. */
final class WindowTest {

    private static final ZoneId NAIROBI = ZoneId.of("Africa/Nairobi");
    private static final WorkingDay WORKING_DAY =
            new WorkingDay(LocalTime.of(7, 0), LocalTime.of(19, 0), List.of(DayOfWeek.WEDNESDAY, DayOfWeek.THURSDAY));
    private static final MissedRule RULE = new MissedRule(Policy.ONCE, Duration.ofHours(4), WORKING_DAY, NAIROBI);
    private static final Instant NOON = Instant.parse("2026-11-25T09:00:00Z");

    private static Schedule schedule(String cron, List<String> except, List<String> only) {
        var away = new CalendarConfig(
                "freeze",
                NAIROBI,
                List.of(),
                List.of(),
                List.of(DateWindow.parse("2026-11-26T00:00 - 2026-11-27T00:00 change freeze")),
                null);
        var weekend = new CalendarConfig(
                "weekend", NAIROBI, List.of(), List.of(WeeklyWindow.parse("SAT 00:00 - MON 00:00")), List.of(), null);
        return new Schedules(Map.of("freeze", away, "weekend", weekend))
                .of(new Cron(cron, NAIROBI, Dst.SHIFT, except, only, null, null, Duration.ZERO))
                .orElseThrow();
    }

    private static Schedule schedule(String cron) {
        return schedule(cron, List.of(), List.of());
    }

    @Test
    void opens_at_the_next_due_time() {
        assertThat(Window.opens(schedule("0 1 * * *"), RULE, NOON)).isEqualTo("2026-11-25T22:00:00Z");
    }

    @Test
    void is_open_from_a_due_time_on_for_as_long_as_the_job_may_be_late() {
        Schedule nightly = schedule("0 1 * * *");
        Instant due = Instant.parse("2026-11-24T22:00:00Z");
        Instant last = due.plus(Duration.ofHours(4));

        assertThat(Window.opens(nightly, RULE, due)).isEqualTo(due);
        assertThat(Window.opens(nightly, RULE, last.minusSeconds(1))).isEqualTo(last.minusSeconds(1));
        assertThat(Window.opens(nightly, RULE, last.plusSeconds(1))).isEqualTo("2026-11-25T22:00:00Z");
    }

    @Test
    void closes_when_the_working_day_begins() {
        Instant beforeSeven = Instant.parse("2026-11-25T03:59:00Z");
        Instant seven = Instant.parse("2026-11-25T04:00:00Z");
        Schedule early = schedule("0 5 * * *");

        assertThat(Window.opens(early, RULE, beforeSeven)).isEqualTo(beforeSeven);
        assertThat(Window.opens(early, RULE, seven)).isEqualTo("2026-11-26T02:00:00Z");
    }

    @Test
    void opens_each_night_where_the_job_is_due_once_a_week() {
        Schedule sundays = schedule("0 1 * * 0");
        Instant night = Instant.parse("2026-11-25T23:30:00Z");

        assertThat(Window.opens(sundays, RULE, NOON)).isEqualTo("2026-11-25T22:00:00Z");
        assertThat(Window.opens(sundays, RULE, night)).isEqualTo(night);
    }

    @Test
    void does_not_open_for_that_in_the_working_day_nor_where_a_calendar_excludes_it() {
        Schedule sundayNoons = schedule("0 12 * * 0");
        Schedule frozenTomorrow = schedule("0 1 * * 0", List.of("freeze"), List.of());
        Schedule weekends = schedule("0 1 * * *", List.of(), List.of("weekend"));

        assertThat(Window.opens(sundayNoons, RULE, NOON)).isEqualTo("2026-11-27T09:00:00Z");
        assertThat(Window.opens(frozenTomorrow, RULE, NOON)).isEqualTo("2026-11-26T22:00:00Z");
        assertThat(Window.opens(weekends, RULE, NOON)).isEqualTo("2026-11-27T22:00:00Z");
    }

    @Test
    void a_job_without_due_times_waits_for_the_end_of_the_working_day() {
        Instant evening = Instant.parse("2026-11-25T16:00:00Z");

        assertThat(Window.opens(WORKING_DAY, NAIROBI, NOON)).isEqualTo(evening);
        assertThat(Window.opens(WORKING_DAY, NAIROBI, evening)).isEqualTo(evening);
    }
}
