package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.infra.sample.ChanukaWorkload;
import io.nightshift.infra.sample.LoggedCommit;
import io.nightshift.infra.sample.WorkloadPlan;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.Seed;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Which transactions a backup holds. A recovery that ends at the backup's end LSN shows exactly those whose commit record
 * begins before it. A plain start, without a recovery target, replays whatever WAL came with the backup: the last
 * segment may go on after the end LSN, so it shows those and some of the next, in the order of their commits and without
 * a gap.
 */
class FullBackupExactnessTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast"));
    private static final BackupSettings OF_STANDBY = RecordBinder.fromMap(
            BackupSettings.class,
            Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast", "source", "standby"));
    private static final double SCALE = 0.05;
    private static final String KEEP_ALL = "4GB";

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void a_backup_holds_exactly_what_was_committed_before_its_end(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("wal_keep_size", KEEP_ALL))) {
            createSample(cluster);

            for (int round = 0; round < Effort.of(1, 5); round++) {
                List<Seed> seeds = Seed.underTest();
                long seed = seeds.get((major + round) % seeds.size()).number() + round;
                try (TestCluster fresh = cluster.withStorages("local")) {
                    backUpAndRestore(fresh, seed);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void a_backup_of_a_standby_holds_all_that_was_committed_before_its_end_and_no_gap(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("wal_keep_size", KEEP_ALL))) {
            createSample(cluster);
            JobRun.of(TYPE, cluster, QUICK).attempt().completed();
            Lsn begin = location(cluster);

            BackupDocument document;
            List<LoggedCommit> confirmed;
            Set<Long> restored;
            Lsn replayed;
            String label;
            try (ExtractedBackup standby = ExtractedBackup.of(cluster);
                    TestCluster fresh = cluster.withStorages("local");
                    TestCluster both = fresh.withStandby(standby.startAsStandby())) {
                try (ChanukaWorkload workload = ChanukaWorkload.start(
                        () -> cluster.postgres().connect("postgres"),
                        WorkloadPlan.everything().connections(4).withCommitLog())) {
                    await().until(() -> !ids(standby.server()).isEmpty());
                    JobRun.of(TYPE, both, OF_STANDBY).attempt().completed();
                    workload.stop();
                    confirmed = workload.commits();
                }
                document = both.backups().get(0).document().orElseThrow();
                try (ExtractedBackup copy = ExtractedBackup.of(both)) {
                    label = Files.readString(copy.data().resolve("backup_label"));
                    restored = ids(copy.start());
                    replayed = copy.replayed();
                }
            }

            CommitRecords records = CommitRecords.since(begin, cluster.postgres());
            Set<Long> before = records.where(lsn -> lsn.isBefore(document.endLsn()));
            assertThat(label).contains("BACKUP FROM: standby");
            assertThat(before).as("written before the end").isNotEmpty();
            assertThat(records.ids()).as("all that was written").hasSize(confirmed.size());
            assertThat(restored).containsAll(before).isEqualTo(records.where(lsn -> !replayed.isBefore(lsn)));
            System.out.printf(
                    "FIGURE exact data, standby of PostgreSQL %d: %,d commits at or before end LSN %s, %,d more replayed by a"
                            + " plain start up to %s, %,d later%n",
                    major,
                    before.size(),
                    document.endLsn(),
                    restored.size() - before.size(),
                    replayed,
                    confirmed.size() - restored.size());
        }
    }

    private static void backUpAndRestore(TestCluster cluster, long seed) throws Exception {
        Lsn begin = location(cluster);
        List<LoggedCommit> confirmed;
        try (ChanukaWorkload workload = ChanukaWorkload.start(
                () -> cluster.postgres().connect("postgres"),
                WorkloadPlan.everything().connections(4).seed(seed).withCommitLog())) {
            JobRun.of(TYPE, cluster, QUICK).attempt().completed();
            workload.stop();
            confirmed = workload.commits();
        }
        CommitRecords records = CommitRecords.since(begin, cluster.postgres());
        Set<Long> earlier = ids(cluster.postgres().server());
        earlier.removeAll(records.where(lsn -> true));
        BackupDocument document = cluster.backups().get(0).document().orElseThrow();
        Lsn end = document.endLsn();

        Set<Long> atTheEnd;
        Set<Long> plainly;
        Lsn replayed;
        try (ExtractedBackup plain = ExtractedBackup.of(cluster);
                ExtractedBackup exact = plain.copy()) {
            atTheEnd = ids(exact.startBefore(end));
            plainly = ids(plain.start());
            replayed = plain.replayed();
        }

        Set<Long> before = records.where(lsn -> lsn.isBefore(end));
        assertThat(before).as("written during the backup").isNotEmpty();
        assertThat(records.where(lsn -> !lsn.isBefore(end)))
                .as("written after it")
                .isNotEmpty();
        assertThat(atTheEnd).isEqualTo(union(earlier, before));
        assertThat(replayed).isGreaterThanOrEqualTo(document.startLsn());
        assertThat(plainly)
                .containsAll(before)
                .isEqualTo(union(earlier, records.where(lsn -> !replayed.isBefore(lsn))));
        assertThat(confirmed)
                .allSatisfy(commit -> assertThat(records.ids()
                                .subMap(commit.before(), true, commit.after(), false)
                                .values())
                        .contains(commit.id()));
        System.out.printf(
                "FIGURE exact data, PostgreSQL %d, seed %d: %,d commits at or before end LSN %s, %,d more replayed by a"
                        + " plain start up to %s, %,d later%n",
                document.major(),
                seed,
                before.size(),
                end,
                plainly.size() - atTheEnd.size(),
                replayed,
                records.ids().size() + earlier.size() - plainly.size());
    }

    private static void createSample(TestCluster cluster) throws SQLException {
        try (Connection connection = cluster.postgres().connect("postgres")) {
            new ChanukaSample().create(connection, SCALE, new Progress());
        }
    }

    private static Set<Long> union(Set<Long> some, Set<Long> others) {
        Set<Long> all = new TreeSet<>(some);
        all.addAll(others);
        return all;
    }

    private static Set<Long> ids(PostgresServer server) throws SQLException {
        Set<Long> ids = new TreeSet<>();
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id FROM chanuka.commit_log")) {
            while (row.next()) {
                ids.add(row.getLong(1));
            }
        }
        return ids;
    }

    private static Lsn location(TestCluster cluster) throws SQLException {
        try (Connection connection = cluster.postgres().connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_current_wal_flush_lsn()")) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }
}
