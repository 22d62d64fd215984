package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Turn.Kind;
import io.nightshift.scheduler.ledger.TurnOrder.Contender;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TurnOrderTest {

    private static final Instant NOW = Instant.parse("2026-11-27T01:00:00Z");

    /** Type heavy is heavy, cluster big takes two of them, due times of the day before are too late. */
    private static final TurnRules RULES = new TurnRules() {
        @Override
        public boolean isHeavy(String jobType) {
            return jobType.equals("heavy");
        }

        @Override
        public int heavyRuns(String cluster) {
            return cluster.equals("big") ? 2 : 1;
        }

        @Override
        public Optional<String> tooLate(String job, String cluster, Instant due, Instant now, boolean begunBefore) {
            return due.isBefore(now.minus(Duration.ofDays(1))) && !begunBefore
                    ? Optional.of("a day late")
                    : Optional.empty();
        }
    };

    /** A contender that is changed piece by piece. */
    private record Entry(Contender contender) {

        static Entry waits(long run, String type, String cluster, String... groups) {
            return new Entry(new Contender(
                    new RunId(run),
                    "job" + run,
                    type,
                    cluster,
                    terms(false, groups),
                    false,
                    null,
                    true,
                    0,
                    null,
                    true,
                    false));
        }

        Entry works() {
            return with(contender.terms(), true, null, true, 1, null, contender.forAnybody(), false);
        }

        Entry due(Instant due, boolean byItself, int attempts) {
            return with(contender.terms(), false, due, byItself, attempts, null, true, false);
        }

        Entry notBefore(Instant time) {
            return with(contender.terms(), false, null, true, 1, time, true, false);
        }

        Entry continuous() {
            return with(terms(true), contender.works(), null, true, contender.attempts(), null, true, false);
        }

        Entry inItsOwnProcess() {
            return with(contender.terms(), contender.works(), null, true, 0, null, false, false);
        }

        Entry dry() {
            return with(contender.terms(), contender.works(), null, true, 0, null, true, true);
        }

        private Entry with(
                RunTerms terms,
                boolean works,
                Instant due,
                boolean byItself,
                int attempts,
                Instant notBefore,
                boolean forAnybody,
                boolean dryRun) {
            return new Entry(new Contender(
                    contender.run(),
                    contender.job(),
                    contender.type(),
                    contender.cluster(),
                    terms,
                    works,
                    due,
                    byItself,
                    attempts,
                    notBefore,
                    forAnybody,
                    dryRun));
        }

        private static RunTerms terms(boolean continuous, String... groups) {
            return new RunTerms(
                    null, null, 1, Duration.ofSeconds(1), Duration.ofSeconds(1), 5, List.of(groups), continuous);
        }
    }

    private static List<Turn> turns(Entry... entries) {
        return TurnOrder.of(List.of(entries).stream().map(Entry::contender).toList(), RULES, NOW);
    }

    private static List<Long> beginners(Entry... entries) {
        return turns(entries).stream()
                .filter(Turn::begins)
                .map(turn -> turn.run().number())
                .toList();
    }

    @Test
    void lets_everything_begin_that_nothing_keeps() {
        assertThat(beginners(
                        Entry.waits(1, "light", "small").works(),
                        Entry.waits(2, "light", "small"),
                        Entry.waits(3, "heavy", "small"),
                        Entry.waits(4, "heavy", "big")))
                .containsExactly(2L, 3L, 4L);
    }

    @Test
    void works_one_run_of_an_exclusive_group_at_a_time_and_tells_the_others_whom_they_wait_for() {
        List<Turn> turns = turns(
                Entry.waits(1, "light", "small", "disk").works(),
                Entry.waits(2, "light", "big", "disk"),
                Entry.waits(3, "light", "small", "net"),
                Entry.waits(4, "light", "big", "net"));

        assertThat(turns)
                .extracting(Turn::kind, Turn::reason)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(
                                Kind.WAITS, "exclusive group disk: run 1 (job1 on small) works"),
                        org.assertj.core.groups.Tuple.tuple(Kind.BEGINS, ""),
                        org.assertj.core.groups.Tuple.tuple(
                                Kind.WAITS, "exclusive group net: run 3 (job3 on small) comes first"));
    }

    @Test
    void counts_the_heavy_runs_of_each_cluster_apart() {
        List<Turn> turns = turns(
                Entry.waits(1, "heavy", "small").works(),
                Entry.waits(2, "heavy", "big").works(),
                Entry.waits(3, "heavy", "small"),
                Entry.waits(4, "heavy", "big"),
                Entry.waits(5, "heavy", "big"));

        assertThat(turns)
                .extracting(Turn::reason)
                .containsExactly(
                        "cluster small takes 1 heavy run at a time: run 1 (job1 on small) works",
                        "",
                        "cluster big takes 2 heavy runs at a time: run 2 (job2 on big) works");
    }

    @Test
    void keeps_the_place_of_what_waits_longer_so_that_it_is_not_overtaken_for_ever() {
        assertThat(beginners(
                        Entry.waits(1, "light", "small", "a").works(),
                        Entry.waits(2, "light", "small", "a", "b"),
                        Entry.waits(3, "light", "small", "b")))
                .isEmpty();
    }

    @Test
    void holds_nothing_for_a_run_whose_next_attempt_has_time() {
        List<Turn> turns = turns(
                Entry.waits(1, "heavy", "small", "a").notBefore(NOW.plusSeconds(60)),
                Entry.waits(2, "heavy", "small", "a"));

        assertThat(turns).extracting(Turn::kind).containsExactly(Kind.WAITS, Kind.BEGINS);
        assertThat(turns.get(0).reason()).isEqualTo("attempt 2 begins at 2026-11-27 01:01:00 UTC");
    }

    @Test
    void does_not_count_what_never_ends_among_the_heavy_ones() {
        assertThat(beginners(Entry.waits(1, "heavy", "small").works().continuous(), Entry.waits(2, "heavy", "small")))
                .containsExactly(2L);
    }

    @Test
    void lets_nothing_begin_too_late_unless_somebody_asked_for_it_or_it_had_begun() {
        Instant yesterday = NOW.minus(Duration.ofDays(2));

        List<Turn> turns = turns(
                Entry.waits(1, "light", "small").due(yesterday, true, 0),
                Entry.waits(2, "light", "small").due(yesterday, false, 1),
                Entry.waits(3, "light", "small").due(yesterday, true, 1));

        assertThat(turns).extracting(Turn::kind).containsExactly(Kind.TOO_LATE, Kind.BEGINS, Kind.BEGINS);
        assertThat(turns.get(0).reason()).isEqualTo("a day late");
    }

    @Test
    void lets_a_process_that_works_its_own_run_wait_only_for_what_works() {
        assertThat(beginners(
                        Entry.waits(1, "heavy", "small", "a"),
                        Entry.waits(2, "heavy", "small", "a").inItsOwnProcess()))
                .containsExactly(1L, 2L);
        assertThat(beginners(
                        Entry.waits(1, "heavy", "small").works(),
                        Entry.waits(2, "heavy", "small").inItsOwnProcess()))
                .isEmpty();
        assertThat(beginners(
                        Entry.waits(1, "heavy", "small").inItsOwnProcess(),
                        Entry.waits(2, "heavy", "small").inItsOwnProcess()))
                .containsExactly(1L);
    }

    @Test
    void lets_a_dry_run_neither_wait_nor_be_waited_for() {
        assertThat(beginners(
                        Entry.waits(1, "heavy", "small", "a").works(),
                        Entry.waits(2, "heavy", "small", "a").dry()))
                .containsExactly(2L);
        assertThat(beginners(
                        Entry.waits(1, "heavy", "small", "a").works().dry(), Entry.waits(2, "heavy", "small", "a")))
                .containsExactly(2L);
    }
}
