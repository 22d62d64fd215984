package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.RestoreTrial.commit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.wal.RestoreTrial.Committed;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A cluster that was promoted twice, each time while the old primary went on for a while:
 *
 * <pre>
 * timeline 1: rows   1-3 backup 4-6 | 7-9 backup 10-12     (what is behind | the promoted server never had)
 * timeline 2:                        \ 101-103 backup 104-106 | 107-108
 * timeline 3:                                                  \ 201-203
 * </pre>
 */
class RestoreAcrossTimelinesTest {

    private static final Map<String, String> SETTINGS =
            Map.of("track_commit_timestamp", "on", "wal_keep_size", "1GB", "restore_command", "false");
    private static final int MAJOR = 18;
    private static final Timeline FIRST = new Timeline(1);
    private static final Timeline SECOND = new Timeline(2);
    private static final Timeline THIRD = new Timeline(3);

    /** What was committed on the way to the end of each timeline, oldest first. */
    private static final List<Committed> ON_FIRST = new ArrayList<>();

    private static final List<Committed> ON_SECOND = new ArrayList<>();
    private static final List<Committed> ON_THIRD = new ArrayList<>();

    private static TestCluster cluster;
    private static RestoreTrial trial;
    private static RestorableCluster source;

    @BeforeAll
    static void promoteTwice() throws Exception {
        cluster = TestCluster.start(MAJOR, SETTINGS);
        trial = new RestoreTrial(cluster.postgres());
        TestPostgres first = cluster.postgres();
        first.execute("postgres", "CREATE TABLE note (id int)");
        ON_FIRST.addAll(commit(first, 1, 3));
        RestoreTrial.backup(cluster);
        ON_FIRST.addAll(commit(first, 4, 6));
        RestoreTrial.archive(cluster, first, FIRST);
        ON_SECOND.addAll(ON_FIRST);
        first.stop();
        try (TestPostgres second = RestoreTrial.promoteCopy(first, MAJOR, SETTINGS)) {
            first.restart();
            ON_FIRST.addAll(commit(first, 7, 9));
            RestoreTrial.backup(cluster);
            first.execute("postgres", "SELECT pg_create_restore_point('here')", "SELECT pg_switch_wal()");
            ON_FIRST.addAll(commit(first, 10, 12));
            RestoreTrial.archive(cluster, first, FIRST);

            ON_SECOND.addAll(commit(second, 101, 103));
            RestoreTrial.backup(TestCluster.attach(new String[] {
                Integer.toString(second.port()),
                second.username(),
                second.password(),
                cluster.storage("").toString()
            }));
            second.execute("postgres", "SELECT pg_create_restore_point('here')", "SELECT pg_switch_wal()");
            ON_SECOND.addAll(commit(second, 104, 106));
            ON_THIRD.addAll(ON_SECOND);
            second.stop();
            try (TestPostgres third = RestoreTrial.promoteCopy(second, MAJOR, SETTINGS)) {
                second.restart();
                ON_SECOND.addAll(commit(second, 107, 108));
                RestoreTrial.archive(cluster, second, SECOND);
                ON_THIRD.addAll(commit(third, 201, 203));
                RestoreTrial.archive(cluster, third, THIRD);
            }
        }
        source = RestoreTrial.source(cluster);
    }

    @AfterAll
    static void close() throws Exception {
        trial.close();
        cluster.close();
    }

    private static List<StoredBackup> backups() {
        return cluster.backups().stream()
                .sorted(Comparator.comparing(
                        backup -> backup.document().orElseThrow().endedAt()))
                .toList();
    }

    private static RestoreTimeline given(Timeline timeline) {
        return new RestoreTimeline.Given(timeline);
    }

    private static RestorePlan plan(RestoreTarget target, RestoreTimeline timeline) {
        return source.plan(null, target, timeline);
    }

    private static void assertBringsBack(RestorePlan plan, List<Integer> rows) throws Exception {
        trial.restore(source, plan);

        assertThat(trial.rows()).as("%s", plan).isEqualTo(rows);
    }

    private static List<Integer> ids(List<Committed> done) {
        return done.stream().map(Committed::id).toList();
    }

    @Test
    void the_end_of_each_timeline_has_what_was_committed_on_the_way_there_and_nothing_else() throws Exception {
        RestorePlan latest = plan(new RestoreTarget.Latest(), new RestoreTimeline.Latest());

        assertThat(latest.backup().label()).isEqualTo(backups().get(2).label());
        assertBringsBack(latest, ids(ON_THIRD));
        assertBringsBack(plan(new RestoreTarget.Latest(), given(SECOND)), ids(ON_SECOND));
        assertBringsBack(plan(new RestoreTarget.Latest(), given(FIRST)), ids(ON_FIRST));
    }

    @Test
    void the_same_backup_leads_to_its_own_timeline_or_across_both_promotions() throws Exception {
        StoredBackup oldest = backups().get(0);

        assertBringsBack(
                source.plan(oldest, new RestoreTarget.Latest(), new RestoreTimeline.OfBackup()), ids(ON_FIRST));
        assertBringsBack(source.plan(oldest, new RestoreTarget.Latest(), new RestoreTimeline.Latest()), ids(ON_THIRD));
    }

    @Test
    void a_backup_that_was_taken_on_the_old_timeline_after_the_switch_is_on_the_way_to_no_newer_one() {
        StoredBackup afterTheSwitch = backups().get(1);

        assertThat(source.plan(afterTheSwitch, new RestoreTarget.Latest(), new RestoreTimeline.OfBackup())
                        .lineage()
                        .present())
                .isEqualTo(FIRST);
        for (RestoreTarget target : List.of(new RestoreTarget.Latest(), new RestoreTarget.Immediate())) {
            assertThatThrownBy(() -> source.plan(afterTheSwitch, target, given(SECOND)))
                    .isInstanceOfSatisfying(NightshiftException.class, refusal -> {
                        assertThat(refusal.kind()).isEqualTo(FailureKind.REFUSED);
                        assertThat(refusal.hint()).isEqualTo("--target-timeline 1 follows the backup's own");
                    })
                    .hasMessageContaining("is not on the way to timeline 2")
                    .hasMessageContaining("on timeline 1, which was left at ");
        }
    }

    @Test
    void random_targets_before_and_after_each_switch_bring_back_their_timelines_rows() throws Exception {
        Seed seed = Seed.underTest().get(Seed.underTest().size() - 1);
        Random random = seed.random();
        List<List<Committed>> ways = new ArrayList<>(List.of(ON_FIRST, ON_SECOND, ON_THIRD));
        Collections.shuffle(ways, random);
        for (int round = 0; round < Effort.of(1, 60); round++) {
            List<Committed> way = ways.get(round % 3);
            Timeline timeline = way == ON_FIRST ? FIRST : way == ON_SECOND ? SECOND : THIRD;
            int index = 3 + random.nextInt(way.size() - 4);
            Committed one = way.get(index);
            boolean inclusive = random.nextBoolean();
            RestoreTarget target = switch (random.nextInt(3)) {
                case 0 -> new RestoreTarget.AtTime(one.at(), inclusive);
                case 1 -> new RestoreTarget.AtXid(one.xid(), inclusive);
                default -> new RestoreTarget.AtLsn(one.behind(), inclusive);
            };
            boolean isThere = inclusive || target instanceof RestoreTarget.AtLsn;

            assertBringsBack(plan(target, given(timeline)), ids(way.subList(0, index + (isThere ? 1 : 0))));
        }
    }

    @Test
    void a_name_that_both_sides_of_a_switch_gave_is_found_on_the_wanted_one() throws Exception {
        assertBringsBack(plan(new RestoreTarget.AtName("here"), given(FIRST)), List.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
        assertBringsBack(
                plan(new RestoreTarget.AtName("here"), new RestoreTimeline.Latest()),
                List.of(1, 2, 3, 4, 5, 6, 101, 102, 103));
    }

    @Test
    void what_the_old_timeline_did_after_the_switch_is_not_on_the_way() {
        Committed lost = ON_FIRST.get(ON_FIRST.size() - 1);

        RestorePlan at = plan(new RestoreTarget.AtTime(lost.at(), true), new RestoreTimeline.Latest());

        assertThat(at.wal().steps())
                .noneMatch(step -> step.segment().timeline().equals(FIRST)
                        && !step.segment().equals(at.wal().steps().get(0).segment()));
        assertThatThrownBy(() -> plan(new RestoreTarget.AtLsn(Lsn.parse("1/0"), true), given(SECOND)))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining("cannot be reached");
        assertThatThrownBy(() -> plan(new RestoreTarget.Latest(), given(new Timeline(7))))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining("has neither a backup nor WAL of timeline 7");
    }

    @Test
    void the_line_for_the_operator_follows_the_newest_timeline_that_each_backup_leads_to() {
        List<Restorability.Window> windows = source.restorability().windows();

        assertThat(windows).extracting(Restorability.Window::timeline).containsExactly(FIRST, THIRD);
        assertThat(windows).extracting(Restorability.Window::from).containsExactly(end(1), end(0));
        assertThat(source.restorability().lost()).isEmpty();
    }

    private static Lsn end(int backup) {
        return backups().get(backup).document().orElseThrow().endLsn();
    }

    @Test
    void a_lost_history_is_no_reason_to_follow_an_older_timeline() throws Exception {
        Path history = RestoreTrial.object(cluster, "local", new WalObject.History(THIRD));
        byte[] content = Files.readAllBytes(history);
        for (byte[] damaged : Arrays.asList(null, new byte[0], Arrays.copyOf(content, 5))) {
            Files.delete(history);
            if (damaged != null) {
                Files.write(history, damaged);
            }
            try {
                RestorableCluster without = RestoreTrial.source(cluster);

                assertThatThrownBy(() -> without.plan(null, new RestoreTarget.Latest(), new RestoreTimeline.Latest()))
                        .isInstanceOfSatisfying(
                                NightshiftException.class,
                                refusal -> assertThat(refusal.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                        .hasMessageContaining("history of timeline 3");
                assertThat(without.restorability().lost()).containsExactly(THIRD);
                assertThat(without.plan(null, new RestoreTarget.Latest(), given(SECOND))
                                .lineage()
                                .present())
                        .isEqualTo(SECOND);
            } finally {
                Files.write(history, content);
            }
        }
    }

    @Test
    void nothing_behind_a_switch_comes_from_the_old_timeline_when_the_new_one_was_not_archived() throws Exception {
        Path wal = RestoreTrial.object(cluster, "local", new WalObject.History(THIRD))
                .resolveSibling("00000003");
        Path aside = wal.resolveSibling("aside");
        Files.move(wal, aside);
        try {
            RestorableCluster without = RestoreTrial.source(cluster);
            RestorePlan plan = without.plan(null, new RestoreTarget.Latest(), new RestoreTimeline.Latest());

            assertThat(plan.lineage().present()).isEqualTo(THIRD);
            trial.restore(without, plan);
            assertThat(trial.rows()).isEqualTo(List.of(1, 2, 3, 4, 5, 6, 101, 102, 103, 104, 105, 106));
        } finally {
            Files.move(aside, wal);
        }
    }
}
