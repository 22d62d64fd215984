package io.nightshift.jobs.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestorePlan.Action;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A cluster whose transactions are all known, restored to targets of every kind; what comes back is compared row by row. */
class RestoreToTargetTest {

    private static final FullBackupJobType FULL = new FullBackupJobType();
    private static final Record FAST =
            RecordBinder.fromMap(FULL.settings(), Map.of("compression", "zstd:1", "checkpoint", "fast"));

    /** A committed transaction, and everything one can call it by. */
    private record Committed(int id, long xid, Instant at, Lsn behind) {}

    private final Path directory = TestPostgres.temporaryDirectory("restored-");

    @AfterEach
    void delete() throws Exception {
        FileTree.delete(directory);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void every_target_brings_back_what_was_committed_before_it_and_nothing_else(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("track_commit_timestamp", "on"));
                ArchiveTrial archiving = new ArchiveTrial(cluster, major, ArchiveTrial.QUICK).begin()) {
            TestPostgres postgres = cluster.postgres();
            postgres.execute("postgres", "CREATE TABLE note (id int)");
            List<Committed> done = new ArrayList<>(commit(postgres, 1, 3));
            JobRun.of(FULL, cluster, FAST).attempt().completed();
            done.addAll(commit(postgres, 4, 8));
            postgres.execute(
                    "postgres", "SELECT pg_create_restore_point('before the mistake')", "SELECT pg_switch_wal()");
            done.addAll(commit(postgres, 9, 12));
            archiving.awaitArchived(postgres, new Timeline(1));
            RestorableCluster source = source(cluster);
            long seed = new Random().nextLong();
            System.out.println("seed " + seed);
            Random random = new Random(seed);

            assertRestored(source, postgres, new RestoreTarget.Latest(), 12);
            assertRestored(source, postgres, new RestoreTarget.AtName("before the mistake"), 8);
            for (int round = 0; round < Effort.of(1, 10); round++) {
                Committed one = done.get(3 + random.nextInt(9));
                assertRestored(source, postgres, new RestoreTarget.AtTime(one.at(), true), one.id());
                assertRestored(source, postgres, new RestoreTarget.AtTime(one.at(), false), one.id() - 1);
                assertRestored(source, postgres, new RestoreTarget.AtXid(one.xid(), false), one.id() - 1);
                if (one.id() < 12) {
                    assertRestored(source, postgres, new RestoreTarget.AtLsn(one.behind(), true), one.id());
                }
            }
            assertRestored(source, postgres, new RestoreTarget.Immediate(), 3);
            assertRefused(source, new RestoreTarget.AtTime(done.get(0).at(), true), "is before the end of backup");
            assertRefused(
                    source,
                    new RestoreTarget.AtTime(Instant.parse("2100-01-01T00:00:00Z"), true),
                    "the WAL was archived until");
            assertRefused(source, new RestoreTarget.AtLsn(Lsn.parse("FF/0"), true), "the last archived record");
            assertRefused(source, new RestoreTarget.AtLsn(Lsn.parse("0/100"), true), "is before the end of backup");
            assertRefused(source, new RestoreTarget.AtXid(4_000_000_000L, true), "is not in the archived WAL");
            assertRefused(source, new RestoreTarget.AtName("no such"), "is not in the archived WAL");
        }
    }

    private static List<Committed> commit(TestPostgres postgres, int from, int to) throws SQLException {
        List<Committed> done = new ArrayList<>();
        try (Connection connection = postgres.connect("postgres");
                Statement statement = connection.createStatement()) {
            for (int id = from; id <= to; id++) {
                long xid;
                connection.setAutoCommit(false);
                statement.execute("INSERT INTO note VALUES (" + id + ")");
                try (ResultSet row = statement.executeQuery("SELECT pg_current_xact_id()::text::bigint")) {
                    row.next();
                    xid = row.getLong(1);
                }
                connection.commit();
                connection.setAutoCommit(true);
                try (ResultSet row = statement.executeQuery(
                        "SELECT pg_xact_commit_timestamp('" + xid + "'::xid), pg_current_wal_insert_lsn()")) {
                    row.next();
                    done.add(new Committed(
                            id,
                            xid,
                            row.getObject(1, OffsetDateTime.class).toInstant().truncatedTo(ChronoUnit.MICROS),
                            Lsn.parse(row.getString(2))));
                }
            }
        }
        return done;
    }

    private static RestorableCluster source(TestCluster cluster) {
        return RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), cluster.backups(), null);
    }

    private void assertRestored(RestorableCluster source, TestPostgres original, RestoreTarget target, int rows)
            throws Exception {
        RestorePlan plan = source.plan(null, target, new RestoreTimeline.Latest());
        Path data = directory.resolve("data");

        Restored restored = restore(source, plan, data);

        assertThat(restored.complaints()).isEmpty();
        Files.copy(original.dataDirectory().resolveSibling("data.password"), directory.resolve("data.password"));
        PostgresServer server = PostgresServer.open(data, original.server().binaries());
        server.start(Map.of("fsync", "off"));
        try {
            assertThat(text(
                            server,
                            "SELECT pg_is_in_recovery() || ' ' || count(*) || ' ' || coalesce(max(id), 0) FROM note"))
                    .as(target + " by " + plan)
                    .isEqualTo("false " + rows + " " + rows);
        } finally {
            server.stop();
            FileTree.delete(data);
            Files.delete(directory.resolve("data.password"));
        }
    }

    private static Restored restore(RestorableCluster source, RestorePlan plan, Path data) {
        return new Restore(
                        BackupCopies.of(plan.backup(), source.storages()),
                        plan,
                        Action.PROMOTE,
                        source.wal(),
                        new Restore.Destination(data, Map.of(), false, false))
                .run(2, new Progress(), new Cancellation());
    }

    private static void assertRefused(RestorableCluster source, RestoreTarget target, String reason) {
        assertThatThrownBy(() -> source.plan(null, target, new RestoreTimeline.Latest()))
                .isInstanceOfSatisfying(NightshiftException.class, refusal -> {
                    assertThat(refusal.kind()).isEqualTo(FailureKind.REFUSED);
                    assertThat(refusal.hint()).startsWith("nearest: ");
                })
                .hasMessageContaining(reason);
    }

    private static String text(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
