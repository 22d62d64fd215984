package io.nightshift.jobs.retention;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.wal.KeptWal;
import io.nightshift.jobs.retention.RetentionDecision.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules, as the documentation says them. */
class RetentionPolicyTest {

    private static final Instant NOW = Candidates.NOW;
    private static final Duration WEEK = Duration.ofDays(7);

    private final Candidates backups = new Candidates();

    private static List<String> reasons(RetentionDecision decision, Candidate backup) {
        return decision.verdicts().stream()
                .filter(verdict -> verdict.backup().equals(backup))
                .map(Verdict::reasons)
                .findFirst()
                .orElseThrow()
                .stream()
                .map(Object::toString)
                .toList();
    }

    @Test
    void keeps_the_backup_that_the_recovery_window_still_needs() {
        Candidate older = backups.full(20);
        Candidate before = backups.full(9);
        Candidate inside = backups.full(3);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(older);
        assertThat(reasons(decision, before))
                .containsExactly(
                        "the recovery window begins at 2026-11-21T03:00:00Z, and this is the newest backup before");
        assertThat(reasons(decision, inside))
                .containsExactly("in the recovery window", "full chain 1 of the 1 that are always kept");
    }

    @Test
    void a_damaged_backup_does_not_begin_the_window_and_is_kept_within_it() {
        Candidate sound = backups.full(20);
        Candidate damagedBefore = backups.damaged(backups.full(9));
        Candidate damagedInside = backups.damaged(backups.full(5));
        backups.full(3);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(damagedBefore);
        assertThat(decision.kept()).contains(sound, damagedInside);
    }

    @Test
    void
            where_the_newest_backup_before_the_window_lies_on_a_branch_that_was_given_up_the_one_that_leads_on_stays_too() {
        Candidate older = backups.full(30);
        Candidate leading = backups.full(20);
        Candidate lost = backups.onTimeline(backups.full(9), 1, false);
        backups.onTimeline(backups.full(3), 2, true);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(older);
        assertThat(reasons(decision, leading))
                .containsExactly("the recovery window begins at 2026-11-21T03:00:00Z, and of timeline 1 this is the"
                        + " newest backup before that leads on from it");
        assertThat(decision.kept()).contains(lost);
        assertThat(decision.wal().get(0).from()).isEqualTo(leading.startLsn());
    }

    @Test
    void where_nobody_knows_which_branch_leads_on_the_newest_backup_of_each_stays() {
        backups.onTimeline(backups.full(30), 1, false);
        Candidate first = backups.onTimeline(backups.full(20), 1, false);
        Candidate second = backups.onTimeline(backups.full(9), 2, false);
        backups.onTimeline(backups.full(3), 3, true);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).hasSize(1);
        assertThat(decision.kept()).contains(first, second);
    }

    @Test
    void what_nothing_keeps_is_due_when_runs_have_said_so_for_a_night_and_not_before_what_builds_on_it() {
        Candidate full = backups.full(30);
        Candidate next = backups.incremental(29, full);
        Candidate other = backups.full(20);
        backups.full(9);
        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);
        Instant lastNight = NOW.minus(Duration.ofHours(23));

        assertThat(decision.expired()).containsExactly(next, other, full);
        assertThat(decision.due(RetentionPast.none(), NOW)).isEmpty();
        assertThat(decision.due(past(NOW.minus(Duration.ofHours(2)), full, next, other), NOW))
                .isEmpty();
        assertThat(decision.due(past(lastNight, full, next, other), NOW)).containsExactly(next, other, full);
        assertThat(decision.due(past(lastNight, full, other), NOW)).containsExactly(other);
    }

    private static RetentionPast past(Instant at, Candidate... expired) {
        Set<BackupLabel> labels = Stream.of(expired).map(Candidate::label).collect(Collectors.toSet());
        return new RetentionPast(List.of(new RetentionRecord(at, labels, Map.of(), List.of(), List.of())));
    }

    @Test
    void what_a_kept_backup_builds_on_is_kept_and_what_builds_on_an_expired_one_goes_before_it() {
        Candidate first = backups.full(21);
        Candidate firstNext = backups.incremental(20, first);
        Candidate second = backups.full(14);
        Candidate secondNext = backups.incremental(10, second);
        Candidate secondLast = backups.incremental(8, secondNext);
        Candidate third = backups.full(2);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(firstNext, first);
        assertThat(decision.kept()).containsExactly(second, secondNext, secondLast, third);
        assertThat(reasons(decision, second)).containsExactly(secondLast.label() + " builds on it");
    }

    @Test
    void what_an_unreadable_backup_may_build_on_is_kept_with_it() {
        Candidate older = backups.full(40);
        Candidate full = backups.full(30);
        Candidate next = backups.incremental(20, full);
        Candidate unreadable = backups.pinned(
                backups.at(NOW.minus(Duration.ofDays(9)), BackupType.INCREMENTAL, null),
                new Pin("audit", NOW.plus(Duration.ofDays(1))));
        backups.full(8);
        backups.full(2);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(older);
        assertThat(reasons(decision, next)).containsExactly(unreadable.label() + " builds on it");
        assertThat(decision.kept()).contains(full);
    }

    @Test
    void the_oldest_backup_of_all_may_be_what_an_unreadable_one_builds_on() {
        Candidate full = backups.full(30);
        backups.pinned(
                backups.at(NOW.minus(Duration.ofDays(9)), BackupType.INCREMENTAL, null),
                new Pin("audit", NOW.plus(Duration.ofDays(1))));
        backups.full(8);

        assertThat(new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW).kept())
                .contains(full);
    }

    @Test
    void so_many_full_chains_are_always_kept_whole() {
        Candidate oldest = backups.full(90);
        Candidate second = backups.full(60);
        Candidate secondNext = backups.incremental(55, second);
        Candidate third = backups.full(30);

        RetentionDecision decision = new RetentionPolicy(WEEK, 2).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(oldest);
        assertThat(reasons(decision, secondNext)).containsExactly("full chain 2 of the 2 that are always kept");
        assertThat(reasons(decision, third)).contains("full chain 1 of the 2 that are always kept");
    }

    @Test
    void while_fewer_can_be_restored_nothing_goes_not_even_damaged_ones_and_no_wal() {
        Candidate damaged = backups.damaged(backups.full(60));
        backups.full(30);

        RetentionDecision decision = new RetentionPolicy(WEEK, 2).decide(backups.all(), NOW);

        assertThat(decision.expired()).isEmpty();
        assertThat(reasons(decision, damaged))
                .containsExactly("only 1 of the 2 full chains that are always kept can be restored");
        assertThat(decision.wal().get(0).from()).isEqualTo(Lsn.INVALID);
    }

    @Test
    void the_last_backup_of_each_day_week_month_and_year_is_kept_for_so_many_of_them() {
        Candidate lastYear = backups.full(400);
        Candidate september = backups.full(70);
        Candidate october = backups.full(35);
        Candidate lateOctober = backups.full(29);
        Candidate november = backups.full(1);
        var policy = new RetentionPolicy(
                Duration.ofDays(1), 1, Map.of(Period.MONTH, 2, Period.YEAR, 2), ZoneId.of("Asia/Colombo"));

        RetentionDecision decision = policy.decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(october, september);
        assertThat(reasons(decision, lateOctober)).containsExactly("the last of 2026-10, monthly 2 of 2");
        assertThat(reasons(decision, lastYear)).containsExactly("the last of 2025, yearly 2 of 2");
        assertThat(reasons(decision, november)).contains("the last of 2026-11, monthly 1 of 2");
    }

    @Test
    void can_be_read_aloud() {
        var policy = new RetentionPolicy(
                Duration.ofDays(14), 2, Map.of(Period.YEAR, 1, Period.WEEK, 4), ZoneId.of("Asia/Colombo"));

        assertThat(policy.inWords()).isEqualTo("""
                kept:
                any moment of the last 14d;
                the 2 newest full backups that can be restored, with all that is built on them;
                the last backup of each of 4 weeks, 1 year that have one, in Asia/Colombo;
                the newest that a restore has proven;
                what is pinned, in use, or lacking in a storage;
                and all that these build on""");
        assertThat(new RetentionPolicy(WEEK, 1).inWords()).startsWith("""
                kept:
                any moment of the last 7d;
                the newest full backup that can be restored, with all that is built on it;
                the newest that a restore has proven;
                """);
    }

    @Test
    void weeks_and_days_are_those_of_the_time_zone() {
        Candidate sunday = backups.at(Instant.parse("2026-11-15T19:30:00Z"), BackupType.FULL, null);
        Candidate monday = backups.at(Instant.parse("2026-11-16T20:00:00Z"), BackupType.FULL, null);
        backups.full(1);
        Map<Period, Integer> two = Map.of(Period.WEEK, 2);
        var inColombo = new RetentionPolicy(Duration.ofDays(1), 1, two, ZoneId.of("Asia/Colombo"));
        var inLondon = new RetentionPolicy(Duration.ofDays(1), 1, Map.of(Period.WEEK, 3), ZoneId.of("Europe/London"));

        assertThat(inColombo.decide(backups.all(), NOW).expired()).containsExactly(sunday);
        assertThat(reasons(inLondon.decide(backups.all(), NOW), sunday))
                .containsExactly("the last of 2026-W46, weekly 3 of 3");
        assertThat(reasons(inLondon.decide(backups.all(), NOW), monday))
                .containsExactly("the last of 2026-W47, weekly 2 of 3");
    }

    @Test
    void a_pin_keeps_a_backup_and_all_it_builds_on_until_it_ends() {
        Candidate full = backups.full(30);
        Candidate pinned =
                backups.pinned(backups.incremental(29, full), new Pin("audit 2026", NOW.plus(Duration.ofHours(1))));
        Candidate ended = backups.pinned(backups.full(25), new Pin("migration", NOW));
        backups.full(10);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(ended);
        assertThat(reasons(decision, pinned)).containsExactly("pinned until 2026-11-28T04:00:00Z: audit 2026");
        assertThat(reasons(decision, full)).containsExactly(pinned.label() + " builds on it");
    }

    @Test
    void the_newest_chain_that_a_restore_has_proven_is_kept_until_a_newer_one_is() {
        Candidate provenEarlier = backups.proven(backups.full(60), NOW.minus(Duration.ofDays(50)));
        Candidate proven = backups.proven(backups.full(40), NOW.minus(Duration.ofDays(30)));
        backups.full(10);
        RetentionPolicy policy = new RetentionPolicy(WEEK, 1);

        RetentionDecision before = policy.decide(backups.all(), NOW);
        backups.proven(backups.full(3), NOW.minus(Duration.ofDays(1)));
        RetentionDecision after = policy.decide(backups.all(), NOW);

        assertThat(before.expired()).containsExactly(provenEarlier);
        assertThat(reasons(before, proven))
                .containsExactly("proven by a restore at 2026-10-29T03:00:00Z, and none newer is");
        assertThat(after.expired()).containsExactly(proven, provenEarlier);
    }

    @Test
    void what_a_storage_lacks_stays() {
        Candidate lacked = backups.lackedBy(backups.full(29), "far");
        backups.full(8);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).isEmpty();
        assertThat(reasons(decision, lacked)).containsExactly("storage far does not have it yet");
    }

    @Test
    void what_somebody_works_with_expires_and_is_not_due_nor_what_it_builds_on() {
        Candidate full = backups.full(30);
        Candidate used = backups.used(backups.incremental(29, full), "the writer of a backup");
        Candidate other = backups.full(28);
        backups.full(8);
        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.expired()).hasSize(3);
        assertThat(decision.due(past(NOW.minus(Duration.ofHours(23)), full, used, other), NOW))
                .containsExactly(other);
    }

    @Test
    void a_refuted_backup_keeps_what_it_kept_and_the_newest_that_is_not_refuted_stays_too() {
        Candidate september = backups.full(80);
        Candidate older = backups.full(60);
        Candidate sound = backups.full(30);
        Candidate lateOctober = backups.refuted(backups.full(29));
        Candidate opener = backups.refuted(backups.full(9));
        Candidate newest = backups.refuted(backups.full(3));
        var policy = new RetentionPolicy(WEEK, 1, Map.of(Period.MONTH, 2), ZoneId.of("UTC"));

        RetentionDecision decision = policy.decide(backups.all(), NOW);

        assertThat(decision.expired()).containsExactly(older, september);
        assertThat(reasons(decision, lateOctober)).containsExactly("the last of 2026-10, monthly 2 of 2");
        assertThat(reasons(decision, opener)).hasSize(1).first().asString().startsWith("the recovery window begins at");
        assertThat(reasons(decision, newest)).contains("full chain 1 of the 1 that are always kept");
        assertThat(reasons(decision, sound))
                .containsExactly(
                        "the recovery window begins at 2026-11-21T03:00:00Z, and this is the newest backup before that no"
                                + " restore test has refuted",
                        "full chain 1 of the 1 that no restore test has refuted",
                        "the last of 2026-10, monthly 2 of 2");
        assertThat(decision.wal().get(0).from()).isEqualTo(sound.startLsn());
    }

    @Test
    void a_system_to_which_an_upgrade_went_back_keeps_what_its_part_of_the_window_begins_with() {
        Candidates upgraded = new Candidates(18);
        Candidate before = backups.full(20);
        Candidate last = backups.full(15);
        Candidate beside = upgraded.full(10);
        backups.full(3);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.with(upgraded), NOW);

        assertThat(decision.expired()).containsExactly(before);
        assertThat(decision.kept()).contains(last, beside);
        assertThat(decision.wal()).extracting(KeptWal::from).contains(last.startLsn());
    }

    @Test
    void of_a_system_without_a_backup_of_which_nothing_was_kept_nothing_is_kept() {
        Candidate live = backups.full(3);
        BackupPaths ended = new Candidates(15).full(3).paths();

        RetentionDecision decision =
                new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW).with(List.of(ended, live.paths()));

        assertThat(decision.wal()).hasSize(2).contains(new KeptWal(ended, null, List.of()));
    }

    @Test
    void the_wal_of_the_window_is_kept_and_of_older_backups_only_what_they_do_not_hold() {
        backups.full(40);
        Candidate monthly = backups.needingWal(backups.full(33), new Lsn(33_000), new Lsn(33_500));
        Candidate opener = backups.full(9);
        backups.needingWal(backups.full(3), new Lsn(997_000), new Lsn(997_500));
        var policy = new RetentionPolicy(WEEK, 1, Map.of(Period.MONTH, 2), ZoneId.of("UTC"));

        RetentionDecision decision = policy.decide(backups.all(), NOW);

        assertThat(decision.kept()).contains(monthly, opener);
        KeptWal wal = decision.wal().get(0);
        assertThat(wal.also()).containsExactly(monthly.wal());
        Timeline one = new Timeline(1);
        assertThat(wal.from()).isEqualTo(opener.startLsn());
        assertThat(wal.keeps(one, new Lsn(900_000), opener.startLsn())).isFalse();
        assertThat(wal.keeps(one, new Lsn(900_000), opener.startLsn().plus(1))).isTrue();
        assertThat(wal.keeps(one, new Lsn(33_499), new Lsn(33_600))).isTrue();
        assertThat(wal.keeps(one, new Lsn(33_500), new Lsn(33_600))).isFalse();
        assertThat(wal.keeps(one, new Lsn(32_000), new Lsn(33_000))).isFalse();
        assertThat(wal.keeps(new Timeline(2), new Lsn(33_100), new Lsn(33_200))).isFalse();
    }

    @Test
    void the_system_before_an_upgrade_stays_as_long_as_the_window_reaches_back_to_it() {
        Candidates after = new Candidates(18);
        Candidate before = backups.full(20);
        Candidate last = backups.full(6);
        Candidate upgraded = after.full(5);
        RetentionPolicy policy = new RetentionPolicy(WEEK, 1);
        Instant later = NOW.plus(Duration.ofDays(3));

        RetentionDecision now = policy.decide(backups.with(after), NOW);
        RetentionDecision then = policy.decide(backups.with(after), later);

        assertThat(now.kept()).containsExactly(before, last, upgraded);
        assertThat(then.expired()).containsExactly(last, before);
        assertThat(then.wal()).extracting(KeptWal::from).containsExactlyInAnyOrder(null, upgraded.startLsn());
    }

    @Test
    void a_damaged_backup_of_the_window_keeps_the_wal_that_leads_on_from_it() {
        Candidate damaged = backups.damaged(backups.full(6));
        backups.full(2);

        RetentionDecision decision = new RetentionPolicy(WEEK, 1).decide(backups.all(), NOW);

        assertThat(decision.wal().get(0).from()).isEqualTo(damaged.startLsn());
    }

    @Test
    void a_system_that_an_upgrade_taken_back_has_outdated_keeps_the_wal_behind_its_newest_backup() {
        Candidates upgraded = new Candidates(18);
        Candidate live = backups.full(10);
        upgraded.full(9);

        RetentionDecision decision = new RetentionPolicy(WEEK, 2).decide(backups.with(upgraded), NOW);

        assertThat(decision.kept()).contains(live);
        assertThat(decision.wal())
                .extracting(KeptWal::from)
                .doesNotContainNull()
                .contains(live.startLsn());
    }
}
