package io.nightshift.scheduler.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.Schedule.Dst;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CronScheduleTest {

    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    @Test
    void is_due_every_night_at_its_wall_clock_time() {
        var schedule = new CronSchedule("0 1 * * *", ZoneId.of("Africa/Nairobi"), Dst.SHIFT);

        var due = schedule.between(Instant.parse("2026-11-20T22:00:00Z"), Instant.parse("2026-11-22T22:00:00Z"));

        assertThat(due)
                .extracting(DueTime::at)
                .containsExactly(Instant.parse("2026-11-21T22:00:00Z"), Instant.parse("2026-11-22T22:00:00Z"));
    }

    @ParameterizedTest
    @CsvSource({
        // the night when 02:00 becomes 03:00: a time in the gap moves to its end
        "30 2 * * *, Europe/Berlin, 2026-03-29, 2026-03-29T01:00:00Z",
        "30 2 * * *, America/New_York, 2026-03-08, 2026-03-08T07:00:00Z",
        "15 2 * * *, Australia/Lord_Howe, 2026-10-04, 2026-10-03T15:30:00Z",
        // the night when 03:00 becomes 02:00 again: the first of the two
        "30 2 * * *, Europe/Berlin, 2026-10-25, 2026-10-25T00:30:00Z",
        "30 1 * * *, America/New_York, 2026-11-01, 2026-11-01T05:30:00Z",
        "45 1 * * *, Australia/Lord_Howe, 2026-04-05, 2026-04-04T14:45:00Z",
        "30 23 * * *, America/Santiago, 2026-04-04, 2026-04-05T02:30:00Z",
    })
    void runs_exactly_once_on_a_daylight_saving_day(String cron, String zone, LocalDate day, Instant expected) {
        var schedule = new CronSchedule(cron, ZoneId.of(zone), Dst.SHIFT);
        var begin = day.atStartOfDay(ZoneId.of(zone)).toInstant();
        var end = day.plusDays(1).atStartOfDay(ZoneId.of(zone)).toInstant();

        var due = schedule.between(begin.minusMillis(1), end.minusMillis(1));

        assertThat(due).extracting(DueTime::at).containsExactly(expected);
    }

    @Test
    void two_times_that_fall_on_the_end_of_the_gap_are_one() {
        var schedule = new CronSchedule("0,30 2 * * *", BERLIN, Dst.SHIFT);

        var due = schedule.between(Instant.parse("2026-03-28T23:00:00Z"), Instant.parse("2026-03-29T21:59:00Z"));

        assertThat(due).extracting(DueTime::at).containsExactly(Instant.parse("2026-03-29T01:00:00Z"));
    }

    @Test
    void takes_either_day_where_unix_cron_restricts_both() {
        var schedule = new CronSchedule("0 0 13 * 5", ZoneOffset.UTC, Dst.SHIFT);

        var due = schedule.between(Instant.parse("2026-11-08T00:00:00Z"), Instant.parse("2026-11-21T00:00:00Z"));

        assertThat(due)
                .extracting(DueTime::at)
                .containsExactly(Instant.parse("2026-11-13T00:00:00Z"), Instant.parse("2026-11-20T00:00:00Z"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0 3 * * 0", "0 3 * * 7", "0 3 * * SUN", "0 0 3 ? * 1", "0 0 3 ? * SUN"})
    void counts_weekdays_as_each_form_does(String sundayAtThree) {
        var schedule = new CronSchedule(sundayAtThree, ZoneOffset.UTC, Dst.SHIFT);

        var next = schedule.next(Instant.parse("2026-11-18T00:00:00Z"));

        assertThat(next).map(DueTime::at).contains(Instant.parse("2026-11-22T03:00:00Z"));
    }

    @Test
    void reads_weekday_ranges_with_steps() {
        var schedule = new CronSchedule("0 3 * * 1-5/2", ZoneOffset.UTC, Dst.SHIFT);

        var due = schedule.between(Instant.parse("2026-11-15T04:00:00Z"), Instant.parse("2026-11-22T04:00:00Z"));

        assertThat(due)
                .extracting(DueTime::at)
                .containsExactlyElementsOf(List.of(
                        Instant.parse("2026-11-16T03:00:00Z"),
                        Instant.parse("2026-11-18T03:00:00Z"),
                        Instant.parse("2026-11-20T03:00:00Z")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1 2 3",
                "61 * * * *",
                "0 25 * * *",
                "0 0 * * 8",
                "0 0 32 1 *",
                "noon",
                "0 0 30 2 *",
                "* * * * * * * *"
            })
    void refuses_what_is_no_cron_expression(String wrong) {
        assertThat(CronSchedule.problem(wrong))
                .hasValueSatisfying(text -> assertThat(text).contains("\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0 1 * * *", "*/15 * * * *", "@daily", "0 0 1 ? * MON-FRI", "0 30 2 L * ?", "0 4 29 2 *"})
    void accepts_both_forms(String cron) {
        assertThat(CronSchedule.problem(cron)).isEmpty();
    }
}
