package io.nightshift.scheduler.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.Missed.Policy;
import io.nightshift.infra.config.WorkingDay;
import io.nightshift.scheduler.schedule.Fate.Kind;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class MissedRuleTest {

    private static final ZoneId NAIROBI = ZoneId.of("Africa/Nairobi");
    private static final WorkingDay WORKING_DAY =
            new WorkingDay(LocalTime.of(7, 0), LocalTime.of(19, 0), List.of(DayOfWeek.MONDAY, DayOfWeek.TUESDAY));

    private static MissedRule rule(Policy policy) {
        return new MissedRule(policy, Duration.ofHours(4), WORKING_DAY, NAIROBI);
    }

    private static List<DueTime> due(String... times) {
        return Stream.of(times).map(Instant::parse).map(DueTime::at).toList();
    }

    private static List<Kind> kinds(List<Fate> fates) {
        return fates.stream().map(Fate::kind).toList();
    }

    @Test
    void runs_what_is_due_now() {
        var fates = rule(Policy.SKIP)
                .fates(due("2026-11-22T22:00:00Z"), Instant.parse("2026-11-22T22:00:31Z"), time -> Optional.empty());

        assertThat(fates).singleElement().satisfies(fate -> {
            assertThat(fate.kind()).isEqualTo(Kind.RUN);
            assertThat(fate.reason()).isEmpty();
        });
    }

    @Test
    void runs_the_newest_of_what_was_missed_and_says_how_late() {
        var missed = due("2026-11-20T22:00:00Z", "2026-11-21T22:00:00Z", "2026-11-22T22:00:00Z");

        var fates = rule(Policy.ONCE).fates(missed, Instant.parse("2026-11-22T23:59:59Z"), time -> Optional.empty());

        assertThat(kinds(fates)).containsExactly(Kind.COVERED, Kind.COVERED, Kind.RUN);
        assertThat(fates.get(2).reason()).isEqualTo("begun 1h59m late");
    }

    @Test
    void begins_nothing_later_than_its_lateness() {
        var fates = rule(Policy.ONCE)
                .fates(due("2026-11-21T15:00:00Z"), Instant.parse("2026-11-21T19:00:01Z"), time -> Optional.empty());

        assertThat(kinds(fates)).containsExactly(Kind.MISSED);
        assertThat(fates.get(0).reason()).isEqualTo("nobody was there at its time; 4h late is later than its 4h");
    }

    @Test
    void begins_nothing_late_in_the_working_day_but_what_is_due_then() {
        // 07:30 of a Monday in Nairobi
        Instant morning = Instant.parse("2026-11-23T04:30:00Z");

        var night = rule(Policy.ONCE).fates(due("2026-11-23T01:00:00Z"), morning, time -> Optional.empty());
        var day = rule(Policy.ONCE).fates(due("2026-11-23T04:10:00Z"), morning, time -> Optional.empty());
        var sunday = rule(Policy.ONCE)
                .fates(due("2026-11-22T01:00:00Z"), Instant.parse("2026-11-22T04:30:00Z"), time -> Optional.empty());

        assertThat(kinds(night)).containsExactly(Kind.MISSED);
        assertThat(night.get(0).reason()).endsWith("it does not begin late in the working day (07:00 to 19:00)");
        assertThat(kinds(day)).containsExactly(Kind.RUN);
        assertThat(kinds(sunday)).containsExactly(Kind.RUN);
    }

    @Test
    void makes_up_for_nothing_with_skip() {
        var fates = rule(Policy.SKIP)
                .fates(
                        due("2026-11-21T21:45:00Z", "2026-11-21T22:00:00Z"),
                        Instant.parse("2026-11-21T22:00:10Z"),
                        time -> Optional.empty());

        assertThat(kinds(fates)).containsExactly(Kind.COVERED, Kind.RUN);
        assertThat(kinds(rule(Policy.SKIP)
                        .fates(
                                due("2026-11-21T21:45:00Z"),
                                Instant.parse("2026-11-21T22:00:00Z"),
                                time -> Optional.empty())))
                .containsExactly(Kind.MISSED);
    }

    @Test
    void takes_the_missed_ones_in_turn_with_all() {
        var missed = due("2026-11-21T20:00:00Z", "2026-11-21T21:00:00Z", "2026-11-21T22:00:00Z");
        var rule = new MissedRule(Policy.ALL, null, null, NAIROBI);

        var first = rule.fates(missed, Instant.parse("2026-11-21T22:10:00Z"), time -> Optional.empty());
        var second = rule.fates(missed.subList(1, 3), Instant.parse("2026-11-21T22:20:00Z"), time -> Optional.empty());

        assertThat(first).extracting(fate -> fate.due()).containsExactly(missed.get(0));
        assertThat(second).extracting(fate -> fate.due()).containsExactly(missed.get(1));
        assertThat(kinds(first)).containsExactly(Kind.RUN);
    }

    @Test
    void skips_what_was_paused_or_excluded_at_its_own_time_and_says_why() {
        var times = due("2026-11-21T21:00:00Z", "2026-11-21T22:00:00Z");
        var due = List.of(times.get(0).excluded("in calendar holidays: Christmas"), times.get(1));

        var fates = rule(Policy.ONCE)
                .fates(due, Instant.parse("2026-11-21T22:10:00Z"), time -> Optional.of("paused by anna: migration"));

        assertThat(kinds(fates)).containsExactly(Kind.SKIPPED, Kind.SKIPPED);
        assertThat(fates)
                .extracting(Fate::reason)
                .containsExactly("in calendar holidays: Christmas", "paused by anna: migration");
    }

    @Test
    void lets_what_had_to_wait_begin_only_within_its_lateness_and_not_in_the_working_day() {
        MissedRule rule = rule(Policy.SKIP);
        Instant due = Instant.parse("2026-11-22T22:00:00Z");

        assertThat(rule.tooLate(due, due.plusSeconds(90), false)).isEmpty();
        assertThat(rule.tooLate(due, due.plus(Duration.ofHours(3)), false)).isEmpty();
        assertThat(rule.tooLate(due, Instant.parse("2026-11-23T02:30:00Z"), false))
                .hasValue("it had to wait; 4h30m late is later than its 4h");
        assertThat(rule.tooLate(due, Instant.parse("2026-11-23T02:30:00Z"), true))
                .as("a further attempt")
                .isEmpty();
        assertThat(rule.tooLate(due, Instant.parse("2026-11-23T05:00:00Z"), true))
                .as("a further attempt in the working day, which is 07:00 to 19:00 in Nairobi")
                .hasValueSatisfying(
                        reason -> assertThat(reason).startsWith("it had to wait; it does not begin late in"));
        assertThat(rule.tooLate(Instant.parse("2026-11-23T05:00:00Z"), Instant.parse("2026-11-23T05:30:00Z"), true))
                .as("due in the working day")
                .isEmpty();
    }
}
