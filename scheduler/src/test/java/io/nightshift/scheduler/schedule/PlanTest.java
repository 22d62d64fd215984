package io.nightshift.scheduler.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.infra.config.Missed;
import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.scheduler.schedule.Fate.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class PlanTest {

    private static final Instant EVENING = Instant.parse("2026-11-20T20:00:00Z");
    private static final Instant TWO_DAYS_LATER = EVENING.plus(Duration.ofDays(2));

    /** A job that is due by a cron expression, with more said of it step by step. */
    private record Sketch(
            String job,
            String type,
            String cron,
            ZoneId zone,
            Duration offset,
            Function<Instant, Optional<String>> paused,
            UsualDuration usual,
            Instant accountedUntil,
            Instant busySince,
            Instant lastSuccess) {

        static Sketch of(String job, String cron) {
            return new Sketch(
                    job,
                    "full-backup",
                    cron,
                    ZoneOffset.UTC,
                    Duration.ZERO,
                    at -> Optional.empty(),
                    null,
                    null,
                    null,
                    null);
        }

        Sketch type(String name) {
            return new Sketch(job, name, cron, zone, offset, paused, usual, accountedUntil, busySince, lastSuccess);
        }

        Sketch takes(String median, String p95) {
            UsualDuration known = new UsualDuration(20, Duration.parse(median), Duration.parse(p95));
            return new Sketch(job, type, cron, zone, offset, paused, known, accountedUntil, busySince, lastSuccess);
        }

        Sketch in(String name) {
            return new Sketch(
                    job, type, cron, ZoneId.of(name), offset, paused, usual, accountedUntil, busySince, lastSuccess);
        }

        Sketch later(Duration jitter) {
            return new Sketch(job, type, cron, zone, jitter, paused, usual, accountedUntil, busySince, lastSuccess);
        }

        Sketch pausedOn(String day) {
            return new Sketch(
                    job,
                    type,
                    cron,
                    zone,
                    offset,
                    at -> at.toString().startsWith(day) ? Optional.of("paused by ann: move") : Optional.empty(),
                    usual,
                    accountedUntil,
                    busySince,
                    lastSuccess);
        }

        Sketch accounted(Instant until) {
            return new Sketch(job, type, cron, zone, offset, paused, usual, until, busySince, lastSuccess);
        }

        Sketch busy(Instant since) {
            return new Sketch(job, type, cron, zone, offset, paused, usual, accountedUntil, since, lastSuccess);
        }

        Sketch succeeded(String at) {
            return new Sketch(
                    job, type, cron, zone, offset, paused, usual, accountedUntil, busySince, Instant.parse(at));
        }

        PlannedJob planned() {
            return planned(new CronSchedule(cron, zone, Dst.SHIFT));
        }

        PlannedJob planned(Schedule schedule) {
            return new PlannedJob(
                    job,
                    type,
                    "chanuka",
                    schedule,
                    new MissedRule(Missed.Policy.ONCE, Duration.ofHours(4), null, zone),
                    offset,
                    paused,
                    usual,
                    accountedUntil,
                    busySince,
                    lastSuccess);
        }
    }

    private static Plan plan(Sketch... jobs) {
        return Plan.of(List.of(jobs).stream().map(Sketch::planned).toList(), EVENING, TWO_DAYS_LATER);
    }

    private static Instant at(String time) {
        return Instant.parse(time);
    }

    @Test
    void lists_what_is_due_in_order_and_expects_it_to_end_as_usual() {
        Plan plan = plan(
                Sketch.of("late", "0 3 * * *"), Sketch.of("early", "0 1 * * *").takes("PT20M", "PT40M"));

        assertThat(plan.due())
                .extracting(
                        entry -> entry.of().job(),
                        Plan.Entry::begin,
                        entry -> entry.end().orElse(null))
                .containsExactly(
                        tuple("early", at("2026-11-21T01:00:00Z"), at("2026-11-21T01:20:00Z")),
                        tuple("late", at("2026-11-21T03:00:00Z"), null),
                        tuple("early", at("2026-11-22T01:00:00Z"), at("2026-11-22T01:20:00Z")),
                        tuple("late", at("2026-11-22T03:00:00Z"), null));
        assertThat(plan.due()).allSatisfy(entry -> assertThat(entry.notes()).isEmpty());
        assertThat(plan.gaps()).isEmpty();
        assertThat(plan.unaccounted()).isEmpty();
    }

    @Test
    void begins_a_due_time_by_its_jitter_later_and_includes_one_that_is_due_already() {
        Plan plan = plan(Sketch.of("spread", "55 19 * * *").later(Duration.ofMinutes(10)));

        assertThat(plan.due().get(0).fate().due().at()).isEqualTo(at("2026-11-20T19:55:00Z"));
        assertThat(plan.due().get(0).begin()).isEqualTo(at("2026-11-20T20:05:00Z"));
        assertThat(plan.due().get(0).notes()).containsExactly("begins 10m later (jitter)");
    }

    @Test
    void expects_a_due_time_to_be_skipped_that_finds_the_earlier_run_at_work() {
        Plan plan = plan(
                Sketch.of("half-hourly", "0,30 1 * * *").takes("PT40M", "PT50M"),
                Sketch.of("hourly", "0 1,2 * * *").type("analyse").takes("PT40M", "PT70M"),
                Sketch.of("quick", "0,30 5 * * *").takes("PT5M", "PT10M"));

        assertThat(plan.due().subList(0, 6))
                .extracting(entry -> entry.of().job(), Plan.Entry::likely)
                .containsExactly(
                        tuple("half-hourly", Kind.RUN),
                        tuple("hourly", Kind.RUN),
                        tuple("half-hourly", Kind.SKIPPED),
                        tuple("hourly", Kind.RUN),
                        tuple("quick", Kind.RUN),
                        tuple("quick", Kind.RUN));
        assertThat(plan.due().get(1).notes()).containsExactly("begins while half-hourly works");
        assertThat(plan.due().get(3).notes())
                .containsExactly("may be skipped: one run in twenty works longer than until then");
        assertThat(plan.due().get(4).notes()).isEmpty();
    }

    @Test
    void counts_a_run_that_works_now() {
        Sketch soon = Sketch.of("soon", "10 20 * * *").takes("PT30M", "PT30M");

        Plan busy = plan(soon.busy(EVENING.minusSeconds(60)));
        Plan free = plan(soon);

        assertThat(busy.due()).extracting(Plan.Entry::likely).containsExactly(Kind.SKIPPED, Kind.RUN);
        assertThat(free.due()).extracting(Plan.Entry::likely).containsExactly(Kind.RUN, Kind.RUN);
    }

    @Test
    void says_what_would_become_now_of_due_times_that_nobody_has_accounted_for() {
        Plan plan = plan(Sketch.of("six-hourly", "0 */6 * * *").accounted(at("2026-11-20T05:00:00Z")));

        assertThat(plan.unaccounted())
                .extracting(Plan.Entry::begin, Plan.Entry::likely, Plan.Entry::reason)
                .containsExactly(
                        tuple(at("2026-11-20T06:00:00Z"), Kind.COVERED, ""),
                        tuple(at("2026-11-20T12:00:00Z"), Kind.COVERED, ""),
                        tuple(at("2026-11-20T18:00:00Z"), Kind.RUN, "begun 2h late"));
    }

    @Test
    void tells_what_daylight_saving_does() {
        Sketch nightly = Sketch.of("nightly", "30 2 * * *").in("Europe/Berlin");

        Plan spring = Plan.of(List.of(nightly.planned()), at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"));
        Plan autumn = Plan.of(List.of(nightly.planned()), at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z"));

        assertThat(spring.due().get(0).begin()).isEqualTo(at("2026-03-29T01:00:00Z"));
        assertThat(spring.due().get(0).notes())
                .containsExactly("moved by daylight saving: its own time does not exist that day");
        assertThat(autumn.due().get(0).notes()).containsExactly("the hour comes twice: this is the first");
    }

    @Test
    void finds_the_gap_that_a_pause_leaves_between_backups_but_none_that_is_usual() {
        Sketch weekdays = Sketch.of("nightly", "0 1 * * MON-FRI");

        Plan usual = Plan.of(
                List.of(weekdays.succeeded("2026-11-19T01:20:00Z").planned()),
                at("2026-11-19T20:00:00Z"),
                at("2026-11-25T20:00:00Z"));
        Plan paused = Plan.of(
                List.of(weekdays.succeeded("2026-11-19T01:20:00Z")
                        .pausedOn("2026-11-20")
                        .planned()),
                at("2026-11-19T20:00:00Z"),
                at("2026-11-25T20:00:00Z"));
        Plan analysed = Plan.of(
                List.of(weekdays.pausedOn("2026-11-20").type("analyse").planned()),
                at("2026-11-19T20:00:00Z"),
                at("2026-11-25T20:00:00Z"));

        assertThat(usual.gaps()).isEmpty();
        assertThat(paused.gaps())
                .containsExactly(new Plan.Gap(
                        "chanuka", at("2026-11-19T01:20:00Z"), at("2026-11-23T01:00:00Z"), Duration.ofDays(3)));
        assertThat(paused.due().get(0).reason()).isEqualTo("paused by ann: move");
        assertThat(analysed.gaps()).isEmpty();
    }

    @Test
    void finds_that_no_backup_is_to_come() {
        Schedule ended = new LimitedSchedule(
                new CronSchedule("0 1 * * *", ZoneOffset.UTC, Dst.SHIFT),
                ZoneOffset.UTC,
                null,
                java.time.LocalDate.parse("2026-11-21"),
                List.of(),
                List.of());

        Plan plan = Plan.of(List.of(Sketch.of("nightly", "0 1 * * *").planned(ended)), EVENING, TWO_DAYS_LATER);

        assertThat(plan.gaps())
                .containsExactly(new Plan.Gap("chanuka", at("2026-11-21T01:00:00Z"), null, Duration.ofDays(1)));
    }
}
