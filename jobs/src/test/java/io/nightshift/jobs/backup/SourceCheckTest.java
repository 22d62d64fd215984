package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Two standbys: the one that was checked goes away before the stream begins. */
class SourceCheckTest {

    private static final BackupSettings OF_STANDBY = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "checkpoint", "fast", "source", "standby"));

    @Test
    void the_standby_that_takes_the_place_of_the_checked_one_is_checked_too() throws Exception {
        try (TestCluster cluster = TestCluster.start(18, Map.of());
                TestPostgres first = standbyOf(cluster, Map.of());
                TestPostgres second = standbyOf(cluster, Map.of("max_replication_slots", "0"))) {
            TestCluster three = cluster.withStandby(first.server()).withStandby(second.server());
            second.stop();
            awaitStandby(three, first);

            var refused = JobRun.of(new FullBackupJobType(), three, OF_STANDBY)
                    .before("streamBaseBackup", () -> {
                        first.stop();
                        second.restart();
                        Awaitility.await().until(() -> receives(second));
                    })
                    .attempt();
            second.restart(Map.of("max_replication_slots", "10"));
            awaitStandby(three, second);
            var completed =
                    JobRun.of(new FullBackupJobType(), three, OF_STANDBY).attempt();

            assertThat(refused.steps()).containsExactly("checkCluster", "streamBaseBackup");
            assertThat(refused.failed().explained())
                    .isEqualTo("base backup of cluster chanuka is not possible: max_replication_slots is 0\n"
                            + "HINT: ALTER SYSTEM SET max_replication_slots = 10; then restart the server");
            completed.completed();
            assertThat(three.backups()).hasSize(1);
        }
    }

    private static TestPostgres standbyOf(TestCluster cluster, Map<String, String> settings) throws IOException {
        TestPostgres primary = cluster.postgres();
        TestPostgres standby = TestPostgres.prepare(18, settings);
        Files.createFile(standby.dataDirectory().resolve("standby.signal"));
        standby.restart(Map.of(
                "max_connections",
                "100",
                "primary_conninfo",
                "host=127.0.0.1 port=" + primary.port() + " user=postgres password=" + primary.password()));
        return standby;
    }

    private static boolean receives(TestPostgres standby) throws Exception {
        return standby.number("SELECT count(*) FROM pg_stat_wal_receiver") == 1;
    }

    private static void awaitStandby(TestCluster cluster, TestPostgres standby) {
        try (DatabaseOrchestrator clusters = cluster.orchestrator()) {
            Awaitility.await()
                    .ignoreExceptionsInstanceOf(NightshiftException.class)
                    .until(() -> clusters.cluster(TestCluster.NAME)
                                    .node(new Intent.Standby(OF_STANDBY.maxLag()))
                                    .address()
                                    .port()
                            == standby.port());
        }
    }
}
