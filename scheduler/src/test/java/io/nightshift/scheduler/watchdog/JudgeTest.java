package io.nightshift.scheduler.watchdog;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.Expectation;
import io.nightshift.infra.config.Missed;
import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.ledger.JobPast;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.schedule.CronSchedule;
import io.nightshift.scheduler.schedule.MissedRule;
import io.nightshift.scheduler.schedule.UsualDuration;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Each kind of condition, next to the same facts a little healthier. */
class JudgeTest {

    private static final Instant NOW = Instant.parse("2026-11-21T07:00:00Z");
    private static final Instant LAST_NIGHT = Instant.parse("2026-11-21T01:00:00Z");
    private static final Instant TONIGHT = Instant.parse("2026-11-22T01:00:00Z");
    private static final Instant LONG_AGO = Instant.parse("2026-10-01T00:00:00Z");
    private static final UsualDuration USUAL = new UsualDuration(20, Duration.ofMinutes(20), Duration.ofMinutes(40));
    private static final ScheduledJob NIGHTLY = new ScheduledJob(
            Installation.rehearsal("nightly"),
            new CronSchedule("0 1 * * *", ZoneOffset.UTC, Dst.SHIFT),
            new MissedRule(Missed.Policy.ONCE, null, null, ZoneOffset.UTC),
            Duration.ZERO);
    private static final Facts.Trigger ARMED =
            new Facts.Trigger("clock", "due", "nightly@stage", "WAITING", TONIGHT, false);
    private static final ClockWatch.Observation STEADY = new ClockWatch.Observation(null, null);
    private static final JobPast.Cursor ACCOUNTED =
            new JobPast.Cursor(NIGHTLY.schedule().text(), LONG_AGO, NOW.minusSeconds(20));

    private static JobPast past(
            JobPast.Cursor cursor, Instant success, JobPast.MissedTimes missed, JobPast.Present present) {
        return new JobPast("nightly", "stage", cursor, USUAL, LONG_AGO, success, missed, present);
    }

    private static JobPast healthy() {
        return past(ACCOUNTED, LAST_NIGHT.plusSeconds(1_200), null, null);
    }

    private static Facts facts(
            JobPast past, List<Facts.Working> working, List<Facts.Trigger> triggers, Facts.OfNode node) {
        Expectation expectation = new Expectation(Duration.ofHours(26), LocalTime.of(6, 0), Duration.ofMinutes(30));
        return new Facts(
                NOW,
                NOW,
                LONG_AGO,
                List.of(new Facts.OfJob("nightly", "stage", expectation, NIGHTLY, time -> Optional.empty(), past)),
                working,
                triggers,
                node);
    }

    private static Facts.OfNode node(Duration skew, ClockWatch.Observation clock, int busy, String ping) {
        return new Facts.OfNode("n1", skew, clock, List.of(new Facts.Threads("work", busy, 4)), ping);
    }

    private static Facts.OfNode healthyNode() {
        return node(Duration.ZERO, STEADY, 0, null);
    }

    private static List<Condition> judge(JobPast past) {
        return Judge.conditions(facts(past, List.of(), List.of(ARMED), healthyNode()));
    }

    private static List<Condition> judge(Facts.Working working) {
        return Judge.conditions(facts(healthy(), List.of(working), List.of(ARMED), healthyNode()));
    }

    private static List<Condition> judge(Facts.OfNode node, Facts.Trigger... more) {
        return Judge.conditions(facts(
                healthy(),
                List.of(),
                java.util.stream.Stream.concat(java.util.stream.Stream.of(ARMED), java.util.Arrays.stream(more))
                        .toList(),
                node));
    }

    private static Facts.Working working(Duration elapsed, Duration idle, String owner, Duration silent) {
        return new Facts.Working(
                7, "nightly", "stage", "copy", elapsed, idle, Duration.ofMinutes(30), false, USUAL, owner, silent);
    }

    @Test
    void is_silent_while_all_is_well() {
        assertThat(judge(healthy())).isEmpty();
        assertThat(judge(working(Duration.ofMinutes(30), Duration.ofMinutes(5), "n1", Duration.ofSeconds(1))))
                .isEmpty();
    }

    @Test
    void is_late_when_a_due_time_is_not_accounted_for() {
        var cursor = new JobPast.Cursor(NIGHTLY.schedule().text(), LONG_AGO, LAST_NIGHT.minusSeconds(60));

        List<Condition> wrong = judge(past(cursor, LAST_NIGHT.plusSeconds(1_200), null, null));

        assertThat(wrong)
                .singleElement()
                .satisfies(late -> assertThat(late.kind()).isEqualTo(ConditionKind.LATE))
                .satisfies(late -> assertThat(late.detail())
                        .isEqualTo("due 2026-11-21 01:00 +00:00 and not accounted for, 6h late"));
    }

    @Test
    void owes_nothing_for_the_time_before_the_schedule_was_edited() {
        var ofAnotherSchedule = new JobPast.Cursor("cron 0 0 * * * UTC shift", LONG_AGO, LONG_AGO);
        var justEdited = new JobPast.Cursor(NIGHTLY.schedule().text(), NOW.minusSeconds(30), NOW.minusSeconds(30));

        assertThat(judge(past(ofAnotherSchedule, NOW.minus(Duration.ofHours(10)), null, null)))
                .isEmpty();
        assertThat(judge(past(justEdited, NOW.minus(Duration.ofHours(10)), null, null)))
                .isEmpty();
    }

    @Test
    void is_late_when_a_queued_run_does_not_begin() {
        Instant success = LAST_NIGHT.plusSeconds(1_200);
        var waits = new JobPast.Present(RunState.QUEUED, 7, LAST_NIGHT, NOW.minusSeconds(600), "group io");
        var hasJustCome = new JobPast.Present(RunState.QUEUED, 7, LAST_NIGHT, NOW.minusSeconds(60), null);

        List<Condition> wrong = judge(past(ACCOUNTED, success, null, waits));

        assertThat(wrong)
                .singleElement()
                .satisfies(late -> assertThat(late.detail())
                        .isEqualTo("run 7, due 2026-11-21 01:00 +00:00, has not begun, it waits for 10m (group io)"))
                .satisfies(late -> assertThat(late.remedy()).isEqualTo("nightshift show 7"));
        assertThat(judge(past(ACCOUNTED, success, null, hasJustCome))).isEmpty();
    }

    @Test
    void tells_what_was_missed_since_the_last_success() {
        var missed = new JobPast.MissedTimes(2, LAST_NIGHT, "nobody was there at its time");

        List<Condition> wrong = judge(past(ACCOUNTED, LAST_NIGHT.plusSeconds(60), missed, null));

        assertThat(wrong)
                .singleElement()
                .satisfies(condition -> assertThat(condition.kind()).isEqualTo(ConditionKind.MISSED))
                .satisfies(condition -> assertThat(condition.detail())
                        .isEqualTo("2 due times missed and no run completed since, the newest 2026-11-21 01:00 +00:00:"
                                + " nobody was there at its time"));
    }

    @Test
    void is_overdue_and_behind_its_deadline_without_a_success() {
        List<Condition> twoDays = judge(past(ACCOUNTED, NOW.minus(Duration.ofDays(2)), null, null));
        List<Condition> oneNight = judge(past(ACCOUNTED, NOW.minus(Duration.ofHours(25)), null, null));
        List<Condition> never = judge(past(ACCOUNTED, null, null, null));

        assertThat(twoDays)
                .extracting(Condition::kind)
                .containsExactly(ConditionKind.OVERDUE, ConditionKind.BEHIND_DEADLINE);
        assertThat(twoDays.get(0).detail())
                .isEqualTo("no run has completed since 2026-11-19 07:00 +00:00, 2d ago; expected within 1d2h");
        assertThat(oneNight).extracting(Condition::kind).containsExactly(ConditionKind.BEHIND_DEADLINE);
        assertThat(oneNight.get(0).detail())
                .isEqualTo("due 2026-11-21 01:00 +00:00 and expected to have completed by 2026-11-21 06:00 +00:00:"
                        + " it has not");
        assertThat(never.get(0).detail()).startsWith("no run has ever completed, known since 2026-10-01");
    }

    @Test
    void notices_a_run_that_stands_still_takes_long_or_is_lost() {
        Duration little = Duration.ofSeconds(2);

        List<Condition> stuck = judge(working(Duration.ofMinutes(40), Duration.ofMinutes(31), "n1", little));
        List<Condition> longer = judge(working(Duration.ofMinutes(61), little, "n1", little));
        List<Condition> silent = judge(working(Duration.ofMinutes(5), little, "n2", Duration.ofMinutes(3)));
        List<Condition> gone = judge(working(Duration.ofMinutes(5), little, "n2", null));

        assertThat(stuck).extracting(Condition::kind).containsExactly(ConditionKind.STUCK);
        assertThat(stuck.get(0).detail()).isEqualTo("no progress for 31m in step copy; expected within 30m");
        assertThat(longer).extracting(Condition::kind).containsExactly(ConditionKind.LONGER_THAN_USUAL);
        assertThat(longer.get(0).detail())
                .isEqualTo("works for 1h1m; of the last 20 runs half took less than 20m and nineteen of twenty less"
                        + " than 40m");
        assertThat(silent).extracting(Condition::kind).containsExactly(ConditionKind.LOST);
        assertThat(silent.get(0).detail())
                .isEqualTo("Nightshift node n2 is silent for 3m, and nobody has taken it over");
        assertThat(gone.get(0).detail()).isEqualTo("Nightshift node n2 is gone, and nobody has taken it over");
    }

    @Test
    void notices_a_trigger_that_is_not_there_or_stands_too_late() {
        var tooLate = new Facts.Trigger("clock", "due", "nightly@stage", "WAITING", TONIGHT.plusSeconds(60), false);

        List<Condition> none = Judge.conditions(facts(healthy(), List.of(), List.of(), healthyNode()));
        List<Condition> late = Judge.conditions(facts(healthy(), List.of(), List.of(tooLate), healthyNode()));

        assertThat(none).extracting(Condition::kind).containsExactly(ConditionKind.TRIGGER_MISSING);
        assertThat(none.get(0).detail()).isEqualTo("Quartz has no trigger for the due time 2026-11-22T01:00:00Z");
        assertThat(late).extracting(Condition::kind).containsExactly(ConditionKind.TRIGGER_MISSING);
    }

    @Test
    void notices_triggers_that_nobody_fires_and_threads_that_are_all_busy() {
        Instant before = NOW.minusSeconds(600);
        var stuck = new Facts.Trigger("work", "runs", "run-7", "ACQUIRED", before, false);
        var fired = new Facts.Trigger("work", "runs", "run-8", "ACQUIRED", before, true);
        var waits = new Facts.Trigger("work", "runs", "run-9", "WAITING", before, false);

        assertThat(judge(healthyNode(), stuck, fired))
                .extracting(Condition::key)
                .containsExactly("trigger-stuck/work/run-7");
        assertThat(judge(node(Duration.ZERO, STEADY, 4, null), waits))
                .singleElement()
                .satisfies(busy -> assertThat(busy.detail())
                        .isEqualTo("all 4 threads of Quartz scheduler work work and 1 trigger waits"));
        assertThat(judge(node(Duration.ZERO, STEADY, 4, null))).isEmpty();
    }

    @Test
    void notices_what_is_wrong_with_its_own_node() {
        List<Condition> skewed = judge(node(Duration.ofSeconds(-30), STEADY, 0, null));
        List<Condition> jumped =
                judge(node(Duration.ZERO, new ClockWatch.Observation(Duration.ofHours(1), null), 0, null));
        List<Condition> absent =
                judge(node(Duration.ZERO, new ClockWatch.Observation(null, Duration.ofMinutes(10)), 0, null));
        List<Condition> unheard = judge(node(Duration.ZERO, STEADY, 0, "monitor answers HTTP 500"));

        assertThat(skewed.get(0).detail()).isEqualTo("its clock is 30s behind the control database's");
        assertThat(jumped.get(0).detail()).isEqualTo("its clock has jumped forward by 1h");
        assertThat(absent.get(0).detail())
                .isEqualTo("it did not look for 10m: its process stood still, or the control database was away");
        assertThat(unheard.get(0).kind()).isEqualTo(ConditionKind.DEAD_MAN);
        assertThat(List.of(skewed, jumped, absent, unheard))
                .allSatisfy(one -> assertThat(one)
                        .singleElement()
                        .satisfies(condition -> assertThat(condition.key()).startsWith("node/n1/")));
        assertThat(judge(node(Duration.ofSeconds(2), STEADY, 0, null))).isEmpty();
    }
}
