package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What will expire, and whether a run may go on without being asked. */
class ForecastTest {

    private static final Instant NOW = Candidates.NOW;
    private static final RetentionPolicy POLICY = new RetentionPolicy(Duration.ofDays(7), 3);

    private final Candidates backups = new Candidates();

    /** A full each week, an incremental each other night. */
    private void week(int fullDaysAgo, int until) {
        Candidate parent = backups.full(fullDaysAgo);
        for (int day = fullDaysAgo - 1; day > fullDaysAgo - 7 && day >= until; day--) {
            parent = backups.incremental(day, parent);
        }
    }

    @Test
    void a_chain_will_expire_when_the_next_full_backup_has_come_and_the_window_has_passed() {
        week(20, 0);
        week(13, 0);
        week(6, 0);
        Set<BackupLabel> oldest = new HashSet<>(
                backups.all().subList(0, 7).stream().map(Candidate::label).toList());

        Forecast forecast = Forecast.of(POLICY, backups.all(), NOW);

        assertThat(POLICY.decide(backups.all(), NOW).expired()).isEmpty();
        assertThat(forecast.expiring().keySet()).isEqualTo(oldest);
        assertThat(new HashSet<>(forecast.expiring().values())).containsExactly(1);
    }

    @Test
    void what_expires_today_is_no_forecast_and_where_no_backups_come_nothing_will() {
        backups.full(50);
        backups.full(40);
        backups.full(30);
        backups.full(20);

        assertThat(POLICY.decide(backups.all(), NOW).expired()).hasSize(1);
        assertThat(Forecast.of(POLICY, backups.all(), NOW).expiring()).isEmpty();
    }

    static List<Seed> seeds() {
        return Seed.underTest();
    }

    /** Months of nights: whatever expires was announced, where backups go on as before. */
    @ParameterizedTest
    @MethodSource("seeds")
    void a_steady_schedule_never_surprises(Seed seed) {
        Random random = seed.random();
        for (int round = 0; round < Effort.of(4, 400); round++) {
            int fullEvery = 1 + random.nextInt(7);
            var policy = new RetentionPolicy(
                    Duration.ofDays(1 + random.nextInt(20)),
                    1 + random.nextInt(3),
                    Map.of(Period.WEEK, random.nextInt(4), Period.MONTH, random.nextInt(3)),
                    ZoneId.of("Asia/Colombo"));
            Candidates world = new Candidates();
            Candidate parent = null;
            Set<BackupLabel> announced = new HashSet<>();
            for (int daysAgo = 100; daysAgo >= 0; daysAgo--) {
                Instant tonight = NOW.minus(Duration.ofDays(daysAgo));
                boolean full = parent == null || daysAgo % 7 % fullEvery == 0;
                parent = full ? world.full(daysAgo) : world.incremental(daysAgo, parent);
                RetentionDecision decision = policy.decide(world.all(), tonight);
                Caution caution = new Caution(announced, tonight.minus(Duration.ofDays(1)));
                if (daysAgo < 80) {
                    assertThat(caution.objection(decision, false, tonight))
                            .as("round %d, %s, %d days ago", round, policy, daysAgo)
                            .isEmpty();
                }
                world.remove(decision.expired());
                announced.addAll(
                        Forecast.of(policy, world.all(), tonight).expiring().keySet());
            }
        }
    }

    @Test
    void a_run_that_would_delete_much_that_nobody_has_announced_waits_for_a_person() {
        List<Candidate> all = new ArrayList<>();
        for (int day = 9; day > 0; day--) {
            all.add(backups.full(day));
        }
        RetentionDecision shortened = new RetentionPolicy(Duration.ofDays(2), 1).decide(all, NOW);
        Set<BackupLabel> most =
                new HashSet<>(all.subList(0, 5).stream().map(Candidate::label).toList());

        assertThat(shortened.expired()).hasSize(7);
        assertThat(new Caution(most, null).objection(shortened, false, NOW))
                .contains("6.68 MB of 8.58 MB would expire, 2 of the 7 backups without an earlier word of it, "
                        + all.get(5).label() + " the oldest of them");
        most.add(all.get(5).label());
        most.add(all.get(6).label());
        assertThat(new Caution(most, null).objection(shortened, false, NOW)).isEmpty();
    }

    @Test
    void a_wrong_clock_takes_no_wal_either() {
        backups.full(30);
        RetentionDecision nothing = POLICY.decide(backups.all(), NOW);
        Caution caution = new Caution(Set.of(), NOW.minus(Duration.ofDays(40)));

        assertThat(nothing.expired()).isEmpty();
        assertThat(caution.objection(nothing, false, NOW)).isEmpty();
        assertThat(caution.objection(nothing, true, NOW)).isPresent();
    }

    @Test
    void a_clock_that_went_back_or_far_ahead_deletes_nothing_alone() {
        week(30, 0);
        week(20, 0);
        week(13, 0);
        week(6, 0);
        RetentionDecision decision = new RetentionPolicy(Duration.ofDays(7), 1).decide(backups.all(), NOW);
        Set<BackupLabel> announced =
                new HashSet<>(decision.expired().stream().map(Candidate::label).toList());

        assertThat(decision.expired()).isNotEmpty();
        assertThat(new Caution(announced, NOW.minus(Duration.ofDays(1))).objection(decision, false, NOW))
                .isEmpty();
        assertThat(new Caution(announced, NOW.plus(Duration.ofHours(1))).objection(decision, false, NOW))
                .contains("the clock says 2026-11-28T03:00:00Z, and retention last ran at 2026-11-28T04:00:00Z");
        assertThat(new Caution(announced, NOW.minus(Duration.ofDays(40))).objection(decision, false, NOW))
                .contains("retention last ran 40d ago, at 2026-10-19T03:00:00Z, if the clock is right, which says"
                        + " 2026-11-28T03:00:00Z");
        assertThat(new Caution(announced, null).objection(decision, false, NOW.minus(Duration.ofDays(2))))
                .contains("the clock says 2026-11-26T03:00:00Z, and the newest backup ended at 2026-11-28T03:00:00Z");
    }
}
