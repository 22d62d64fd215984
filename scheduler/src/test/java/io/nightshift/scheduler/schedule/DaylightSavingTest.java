package io.nightshift.scheduler.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.infra.server.Effort;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Due times of three years against another way to find them: walking through the time that passed, and asking of each
 * minute whether the clock on the wall showed a due time.
 */
final class DaylightSavingTest {

    private static final Instant BEGIN = Instant.parse("2025-01-01T00:00:00Z");
    /** After one year, and with full effort after three. */
    private static final Instant END = Instant.parse(Effort.of(2026, 2028) + "-01-01T00:00:00Z");
    /** All minutes that are wanted are multiples of it, and so are all changes of the clocks. */
    private static final Duration STEP = Duration.ofMinutes(5);

    private static final List<String> ZONES = List.of(
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Santiago",
            "Africa/Nairobi",
            "Africa/Cairo");

    /** An expression, and what it means in java.time. */
    private record Wanted(String cron, boolean everyHourOrMoreOften, Predicate<LocalDateTime> isDue) {
        @Override
        public String toString() {
            return cron;
        }
    }

    private static final List<Wanted> WANTED = List.of(
            new Wanted("0 1 * * *", false, at -> at.getHour() == 1 && at.getMinute() == 0),
            new Wanted("30 2 * * *", false, at -> at.getHour() == 2 && at.getMinute() == 30),
            new Wanted(
                    "15 0,2,23 * * *", false, at -> List.of(0, 2, 23).contains(at.getHour()) && at.getMinute() == 15),
            new Wanted(
                    "45 1 * * SUN",
                    false,
                    at -> at.getDayOfWeek() == DayOfWeek.SUNDAY && at.getHour() == 1 && at.getMinute() == 45),
            new Wanted("*/20 2 * * *", false, at -> at.getHour() == 2 && at.getMinute() % 20 == 0),
            new Wanted("0 * * * *", true, at -> at.getMinute() == 0),
            new Wanted("*/30 * * * *", true, at -> at.getMinute() % 30 == 0));

    static Stream<Object[]> everywhere() {
        return ZONES.stream().flatMap(zone -> WANTED.stream().map(wanted -> new Object[] {zone, wanted}));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void has_the_due_times_that_the_clock_on_the_wall_shows(String zoneName, Wanted wanted) {
        ZoneId zone = ZoneId.of(zoneName);

        for (Dst policy : Dst.values()) {
            List<Instant> due = new CronSchedule(wanted.cron(), zone, policy)
                    .between(BEGIN.minusMillis(1), END.minusMillis(1)).stream()
                            .map(DueTime::at)
                            .toList();

            assertThat(due).as("%s %s %s", wanted, zone, policy).isEqualTo(watched(zone, wanted, policy));
        }
    }

    private static List<Instant> watched(ZoneId zone, Wanted wanted, Dst policy) {
        TreeSet<Instant> due = new TreeSet<>();
        for (Instant minute = BEGIN; minute.isBefore(END); minute = minute.plus(STEP)) {
            LocalDateTime wall = LocalDateTime.ofInstant(minute, zone);
            if (wanted.isDue().test(wall)
                    && (policy == Dst.BOTH || wanted.everyHourOrMoreOften() || isFirst(wall, minute, zone))) {
                due.add(minute);
            }
        }
        if (policy != Dst.SKIP) {
            due.addAll(endsOfGapsWithDueTimes(zone, wanted));
        }
        return List.copyOf(due);
    }

    private static boolean isFirst(LocalDateTime wall, Instant minute, ZoneId zone) {
        return ZonedDateTime.of(wall, zone)
                .withEarlierOffsetAtOverlap()
                .toInstant()
                .equals(minute);
    }

    private static List<Instant> endsOfGapsWithDueTimes(ZoneId zone, Wanted wanted) {
        List<Instant> ends = new ArrayList<>();
        ZoneOffsetTransition change = zone.getRules().nextTransition(BEGIN);
        while (change != null && change.getInstant().isBefore(END)) {
            LocalDateTime skipped = change.getDateTimeBefore();
            while (change.isGap() && skipped.isBefore(change.getDateTimeAfter())) {
                if (wanted.isDue().test(skipped)) {
                    ends.add(change.getInstant());
                }
                skipped = skipped.plus(STEP);
            }
            change = zone.getRules().nextTransition(change.getInstant());
        }
        return ends;
    }

    @ParameterizedTest
    @CsvSource({
        "SHIFT, 2026-03-29T01:00:00Z, SHIFTED",
        "BOTH, 2026-03-29T01:00:00Z, SHIFTED",
        "SKIP, 2026-03-30T00:30:00Z, NONE"
    })
    void says_what_daylight_saving_did_to_a_due_time(Dst policy, Instant due, DueTime.Mark mark) {
        var schedule = new CronSchedule("30 2 * * *", ZoneId.of("Europe/Berlin"), policy);

        var next = schedule.next(Instant.parse("2026-03-28T12:00:00Z")).orElseThrow();

        assertThat(next).isEqualTo(new DueTime(due, mark, null));
    }

    @Test
    void marks_the_two_of_a_repeated_time() {
        var schedule = new CronSchedule("30 2 * * *", ZoneId.of("Europe/Berlin"), Dst.BOTH);

        var due = schedule.between(Instant.parse("2026-10-24T12:00:00Z"), Instant.parse("2026-10-25T12:00:00Z"));

        assertThat(due)
                .containsExactly(
                        new DueTime(Instant.parse("2026-10-25T00:30:00Z"), DueTime.Mark.FIRST_OF_TWO, null),
                        new DueTime(Instant.parse("2026-10-25T01:30:00Z"), DueTime.Mark.SECOND_OF_TWO, null));
    }
}
