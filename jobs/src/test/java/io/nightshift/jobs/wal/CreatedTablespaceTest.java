package io.nightshift.jobs.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A tablespace that is younger than the backup: recovery makes it where it is at the source, which is no place of ours. */
class CreatedTablespaceTest {

    private static final FullBackupJobType FULL = new FullBackupJobType();
    private static final Record FAST =
            RecordBinder.fromMap(FULL.settings(), Map.of("compression", "zstd:1", "checkpoint", "fast"));

    private final Path directory = TestPostgres.temporaryDirectory("restored-");
    private final Path location = TestPostgres.temporaryDirectory("young-");
    private final Path data = directory.resolve("data");

    @AfterEach
    void delete() throws Exception {
        FileTree.delete(directory);
        FileTree.delete(location);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void recovery_does_not_write_into_the_source_s_tablespace(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of());
                ArchiveTrial archiving = new ArchiveTrial(cluster, major, ArchiveTrial.QUICK).begin()) {
            TestPostgres postgres = cluster.postgres();
            ServerUser.of(postgres.dataDirectory()).own(location);
            postgres.execute("postgres", "CREATE TABLE old AS SELECT i FROM generate_series(1, 1000) i");
            JobRun.of(FULL, cluster, FAST).attempt().completed();
            Lsn before = Lsn.parse(text(postgres.server(), "SELECT pg_current_wal_insert_lsn()"));
            postgres.execute(
                    "postgres",
                    "CREATE TABLESPACE young LOCATION '" + location + "'",
                    "CREATE TABLE new TABLESPACE young AS SELECT i FROM generate_series(1, 1000) i");
            archiving.awaitArchived(postgres, new Timeline(1));

            NightshiftException refused =
                    catchThrowableOfType(NightshiftException.class, () -> restore(cluster, new RestoreTarget.Latest()));

            assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
            assertThat(refused)
                    .hasMessageStartingWith("recovery would write into a tablespace that is there already: at ")
                    .hasMessageEndingWith(" in " + location);
            assertThat(data).doesNotExist();

            restore(cluster, new RestoreTarget.AtLsn(before, false));

            PostgresServer server = start(postgres);
            assertThat(text(server, "SELECT count(*) || ' ' || (to_regclass('new') IS NULL) FROM old"))
                    .isEqualTo("1000 true");
            server.stop();
            assertThat(text(postgres.server(), "SELECT count(*) FROM new")).isEqualTo("1000");

            postgres.stop();
            FileTree.delete(data);
            Path away = location.resolveSibling(location.getFileName() + "-away");
            Files.move(location, away);
            Files.createDirectory(location);
            ServerUser.of(postgres.dataDirectory()).own(location);
            Restored later = restore(cluster, new RestoreTarget.Latest());

            assertThat(later.notes()).anyMatch(note -> note.endsWith(" in " + location));
            server = start(postgres);
            assertThat(text(server, "SELECT count(*) FROM new")).isEqualTo("1000");
            server.stop();
            FileTree.delete(away);
        }
    }

    private Restored restore(TestCluster cluster, RestoreTarget target) {
        RestorableCluster source = RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), cluster.backups(), null);
        RestorePlan plan = source.plan(null, target, new RestoreTimeline.Latest());
        return new Restore(
                        source.chain(plan),
                        plan,
                        RestorePlan.Action.PROMOTE,
                        source.wal(),
                        new Restore.Destination(data, Map.of(), false, false))
                .run(2, new Progress(), new Cancellation());
    }

    private PostgresServer start(TestPostgres source) throws Exception {
        Path password = directory.resolve("data.password");
        Files.deleteIfExists(password);
        Files.copy(source.dataDirectory().resolveSibling("data.password"), password);
        PostgresServer server = PostgresServer.open(data, source.server().binaries());
        server.start(Map.of("fsync", "off"));
        return server;
    }

    private static String text(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
