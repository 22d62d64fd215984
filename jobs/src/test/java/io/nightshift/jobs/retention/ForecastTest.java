package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What will expire, and whether a run may go on without being asked. */
class ForecastTest {

    private static final Instant NOW = Candidates.NOW;
    private static final Timeline TIMELINE = new Timeline(1);
    private static final Storage NEAR = new DirectoryStorage("near", Path.of("/never/looked/at"));
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

        Forecast forecast = Forecast.of(POLICY, backups.all(), RetentionPast.none(), NOW);

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
        assertThat(Forecast.of(POLICY, backups.all(), RetentionPast.none(), NOW).expiring())
                .isEmpty();
    }

    @Test
    void each_backup_expires_on_the_day_on_which_the_window_leaves_it_behind() {
        List<Candidate> oldestFirst = new ArrayList<>();
        for (int daysAgo = 8; daysAgo >= 0; daysAgo--) {
            oldestFirst.add(backups.full(daysAgo));
        }

        Forecast week =
                Forecast.of(new RetentionPolicy(Duration.ofDays(7), 1), backups.all(), RetentionPast.none(), NOW);
        Forecast day =
                Forecast.of(new RetentionPolicy(Duration.ofDays(1), 1), backups.all(), RetentionPast.none(), NOW);

        Map<BackupLabel, Integer> expected = new HashMap<>();
        for (int days = 1; days <= 7; days++) {
            expected.put(oldestFirst.get(days).label(), days);
        }
        assertThat(week.expiring()).isEqualTo(expected);
        assertThat(labels(oldestFirst)).containsAll(day.expiring().keySet());
    }

    @Test
    void where_only_incremental_backups_come_all_that_they_build_on_stays() {
        Candidate parent = backups.full(12);
        for (int daysAgo = 11; daysAgo >= 0; daysAgo--) {
            parent = backups.incremental(daysAgo, parent);
        }

        assertThat(Forecast.of(new RetentionPolicy(Duration.ofDays(2), 1), backups.all(), RetentionPast.none(), NOW)
                        .expiring())
                .isEmpty();
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
            boolean isProven = random.nextBoolean();
            var policy = new RetentionPolicy(
                    Duration.ofHours(12 + random.nextInt(21 * 24)),
                    1 + random.nextInt(3),
                    Map.of(Period.WEEK, random.nextInt(4), Period.MONTH, random.nextInt(3)),
                    ZoneId.of("Asia/Colombo"));
            Candidates world = new Candidates();
            Candidate parent = null;
            List<RetentionRecord> records = new ArrayList<>();
            for (int daysAgo = 100; daysAgo >= 0; daysAgo--) {
                Instant tonight = NOW.minus(Duration.ofDays(daysAgo));
                boolean full = parent == null || daysAgo % 7 % fullEvery == 0;
                parent = full ? world.full(daysAgo) : world.incremental(daysAgo, parent);
                parent = isProven ? world.proven(parent, tonight) : parent;
                RetentionDecision decision = policy.decide(world.all(), tonight);
                RetentionPast past = new RetentionPast(records);
                if (daysAgo < 90 || fullEvery == 1) {
                    assertThat(objection(decision, past, tonight))
                            .as("round %d, %s, %d days ago", round, policy, daysAgo)
                            .isEmpty();
                }
                records.add(record(decision, Forecast.of(policy, world.all(), past, tonight), tonight));
                world.remove(decision.due(past, tonight));
            }
        }
    }

    private static RetentionRecord record(RetentionDecision decision, Forecast forecast, Instant at) {
        Map<BackupLabel, Instant> expiring = new HashMap<>();
        forecast.expiring().forEach((label, day) -> expiring.put(label, at.plus(Duration.ofDays(day))));
        return new RetentionRecord(at, labels(decision.expired()), expiring, decision.wal(), forecast.wal());
    }

    private static Set<BackupLabel> labels(List<Candidate> backups) {
        return backups.stream().map(Candidate::label).collect(Collectors.toSet());
    }

    private static Optional<String> objection(RetentionDecision decision, RetentionPast past, Instant now) {
        Holding near = new Holding(NEAR, decision.kept(), decision.expired(), decision.due(past, now), List.of());
        return new Caution(past.lastRunAt().orElse(null))
                .objection(List.of(near.going(past, now)), newest(decision), now);
    }

    private static Instant newest(RetentionDecision decision) {
        return decision.verdicts().stream()
                .map(verdict -> verdict.backup().endedAt())
                .max(Instant::compareTo)
                .orElseThrow();
    }

    @Test
    void a_run_that_would_delete_much_that_nobody_has_announced_waits_for_a_person() {
        List<Candidate> all = new ArrayList<>();
        for (int day = 9; day > 0; day--) {
            all.add(backups.full(day));
        }
        RetentionDecision shortened = new RetentionPolicy(Duration.ofDays(2), 1).decide(all, NOW);

        assertThat(shortened.expired()).hasSize(7);
        assertThat(objection(shortened, announced(all.subList(0, 5)), NOW))
                .contains("6.68 MB of the 8.58 MB in storage near would expire, without an earlier word of 2 backups, "
                        + all.get(5).label() + " the oldest of them");
        assertThat(objection(shortened, announced(all.subList(0, 7)), NOW)).isEmpty();
    }

    @Test
    void what_a_person_has_let_expire_does_not_count_again() {
        List<Candidate> all = new ArrayList<>();
        for (int day = 9; day > 0; day--) {
            all.add(backups.full(day));
        }
        RetentionDecision shortened = new RetentionPolicy(Duration.ofDays(2), 1).decide(all, NOW);
        Instant anHourAgo = NOW.minus(Duration.ofHours(1));
        var record = new RetentionRecord(anHourAgo, labels(all.subList(0, 6)), Map.of(), List.of(), List.of());

        assertThat(objection(shortened, new RetentionPast(List.of(record)), NOW))
                .isEmpty();
    }

    @Test
    void wal_that_nobody_has_announced_counts_too() {
        Going wal = new Going("near", 300, 1000, List.of(), 250);

        assertThat(new Caution(null).objection(List.of(wal), null, NOW))
                .contains("300 B of the 1000 B in storage near would expire, without an earlier word of 250 B of WAL");
        assertThat(new Caution(null).objection(List.of(new Going("near", 300, 1000, List.of(), 0)), null, NOW))
                .isEmpty();
        assertThat(new Caution(null).objection(List.of(new Going("near", 250, 1000, List.of(), 250)), null, NOW))
                .isEmpty();
    }

    @Test
    void a_clock_that_went_back_or_far_ahead_lets_nothing_expire_alone() {
        Instant newest = NOW.minus(Duration.ofHours(1));
        Going nothing = new Going("near", 0, 1000, List.of(), 0);

        assertThat(new Caution(NOW.minus(Duration.ofDays(1))).objection(List.of(nothing), newest, NOW))
                .isEmpty();
        assertThat(new Caution(NOW.plus(Duration.ofHours(1))).objection(List.of(nothing), newest, NOW))
                .contains("the clock says 2026-11-28T03:00:00Z, and retention last ran at 2026-11-28T04:00:00Z");
        assertThat(new Caution(NOW.minus(Duration.ofDays(40))).objection(List.of(nothing), newest, NOW))
                .contains("retention last ran 40d ago, at 2026-10-19T03:00:00Z, if the clock is right, which says"
                        + " 2026-11-28T03:00:00Z");
        assertThat(new Caution(null).objection(List.of(nothing), newest, NOW.minus(Duration.ofDays(2))))
                .contains("the clock says 2026-11-26T03:00:00Z, and the newest backup ended at 2026-11-28T02:00:00Z");
    }

    @Test
    void wal_up_to_where_the_window_will_begin_is_announced_from_that_day_on() {
        Candidate opener = backups.full(9);
        Candidate next = backups.full(5);
        backups.full(1);
        BackupPaths system = opener.paths();
        RetentionPolicy policy = new RetentionPolicy(Duration.ofDays(7), 1);
        RetentionDecision decision = policy.decide(backups.all(), NOW);
        RetentionPast past = new RetentionPast(
                List.of(record(decision, Forecast.of(policy, backups.all(), RetentionPast.none(), NOW), NOW)));
        Lsn behindOpener = opener.startLsn().plus(100);

        assertThat(decision.wal().get(0).from()).isEqualTo(opener.startLsn());
        assertThat(past.announced(system, TIMELINE, opener.startLsn(), behindOpener, NOW.plus(Duration.ofDays(1))))
                .isFalse();
        assertThat(past.announced(system, TIMELINE, opener.startLsn(), behindOpener, NOW.plus(Duration.ofDays(2))))
                .isTrue();
        assertThat(past.announced(
                        system, TIMELINE, next.startLsn(), next.startLsn().plus(1), NOW.plus(Duration.ofDays(2))))
                .isFalse();
    }

    private static RetentionPast announced(List<Candidate> backups) {
        Map<BackupLabel, Instant> expiring = new HashMap<>();
        backups.forEach(backup -> expiring.put(backup.label(), NOW));
        return new RetentionPast(
                List.of(new RetentionRecord(NOW.minus(Duration.ofDays(1)), Set.of(), expiring, List.of(), List.of())));
    }
}
