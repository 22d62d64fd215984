package io.nightshift.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.DataSize;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReadingPlanTest {

    private static final Instant NOW = Instant.parse("2026-11-28T05:00:00Z");
    private static final Duration MONTH = Duration.ofDays(30);

    private record Thing(
            String storage,
            String name,
            long bytes,
            Instant storedAt,
            @Nullable Instant readAt) implements Reading {

        @Override
        public boolean wasReadWhenStored() {
            return false;
        }

        Thing readAt(Instant when) {
            return new Thing(storage, name, bytes, storedAt, when);
        }
    }

    private static Thing stored(int daysAgo, long bytes) {
        return new Thing("local", "stored " + daysAgo, bytes, NOW.minus(Duration.ofDays(daysAgo)), null);
    }

    private static ReadingPlan plan(List<Thing> all, @Nullable DataSize budget, Instant now) {
        return ReadingPlan.of(
                all, MONTH, budget, ReadingPlan.lastReadAt(all, now).orElse(null), now);
    }

    @Test
    void nothing_is_read_of_nothing() {
        assertThat(plan(List.of(), null, NOW).readings()).isEmpty();
    }

    @Test
    void the_oldest_come_first_as_much_as_is_the_share_of_a_night() {
        List<Thing> all = IntStream.range(0, 100)
                .mapToObj(hour -> new Thing("local", "of hour " + hour, 10, NOW.minus(Duration.ofHours(hour)), null))
                .toList();

        assertThat(plan(all, null, NOW).readings()).containsExactly(all.get(99), all.get(98), all.get(97));
    }

    @Test
    void what_is_due_before_the_next_run_is_read_however_much_it_is() {
        List<Thing> all = List.of(stored(29, 1000), stored(40, 1000), stored(28, 1000), stored(5, 1000));

        assertThat(plan(all, null, NOW).readings()).containsExactly(stored(40, 1000), stored(29, 1000));
    }

    @Test
    void a_budget_puts_off_what_does_not_fit_but_never_all() {
        List<Thing> all = List.of(stored(40, 1000), stored(39, 1000), stored(38, 10));

        assertThat(plan(all, new DataSize(100), NOW).readings()).containsExactly(stored(40, 1000));
        assertThat(plan(all, new DataSize(2000), NOW).readings()).containsExactly(stored(40, 1000), stored(39, 1000));
    }

    @Test
    void a_budget_binds_what_is_read_before_the_plan_too() {
        List<Thing> suspects = List.of(stored(3, 1000), stored(40, 1000), stored(5, 1000));
        DataSize budget = new DataSize(2500);

        List<Reading> within = ReadingPlan.within(suspects, budget, NOW);

        assertThat(within).containsExactly(stored(40, 1000), stored(5, 1000));
        assertThat(ReadingPlan.left(budget, within)).isEqualTo(new DataSize(500));
        assertThat(ReadingPlan.within(suspects, new DataSize(1), NOW)).containsExactly(stored(40, 1000));
        assertThat(ReadingPlan.within(suspects, null, NOW)).hasSize(3);
    }

    @Test
    void a_restart_has_what_is_left_of_the_share() {
        Instant last = NOW.minus(Duration.ofDays(3));
        List<Thing> all = new ArrayList<>(IntStream.range(0, 20)
                .mapToObj(day -> stored(day, 10).readAt(last))
                .toList());
        int first = ReadingPlan.of(all, MONTH, null, last, NOW).readings().size();
        all.set(19, all.get(19).readAt(NOW));

        assertThat(ReadingPlan.of(all, MONTH, null, last, NOW).readings()).hasSize(first - 1);
    }

    @Test
    void what_a_wrong_clock_has_read_in_the_future_was_not_read() {
        Thing ahead = stored(40, 10).readAt(NOW.plus(Duration.ofDays(300)));

        assertThat(plan(List.of(ahead, stored(1, 10)), null, NOW).readings()).containsExactly(ahead);
        assertThat(Coverage.of(List.of(ahead), Set.of(), MONTH, NOW).percent()).isZero();
    }

    /** Backups and WAL come each day and go after three weeks; runs are missed now and then. */
    @ParameterizedTest
    @ValueSource(ints = {21, 100})
    void sixty_nights_leave_nothing_unread_for_longer_than_the_round_and_no_night_reads_much_more_than_its_share(
            int keptDays) {
        var random = new Random(keptDays);
        List<Thing> all = new ArrayList<>();
        Duration late = Duration.ZERO;
        double most = 0;
        for (int night = 0; night < 180; night++) {
            Instant now = NOW.plus(Duration.ofDays(night)).plusSeconds(random.nextInt(3600));
            for (int object = 0; object < 20; object++) {
                all.add(new Thing("local", night + "/" + object, 1 + random.nextInt(9), now, null));
            }
            all.removeIf(thing -> thing.storedAt().isBefore(now.minus(Duration.ofDays(keptDays))));
            boolean isMissed = night % 17 > 14;
            if (isMissed) {
                continue;
            }
            for (Thing thing : all) {
                Duration age = Duration.between(thing.since(now), now);
                late = age.compareTo(late) > 0 ? age : late;
            }
            ReadingPlan plan = plan(all, null, now);
            long bytes = all.stream().mapToLong(Reading::bytes).sum();
            most = night < 40 ? 0 : Math.max(most, (double) plan.bytes() / bytes);
            all.replaceAll(thing -> plan.readings().contains(thing) ? thing.readAt(now) : thing);
        }

        assertThat(late).isLessThanOrEqualTo(MONTH);
        assertThat(most).isBetween(0.01, 4.0 / 30);
    }
}
