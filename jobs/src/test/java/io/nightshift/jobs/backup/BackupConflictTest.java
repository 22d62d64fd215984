package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.JobRun.Outcome;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import java.nio.file.Files;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A standby is promoted beside its primary while a backup waits or is read back. */
class BackupConflictTest {

    private static final BackupSettings QUICK =
            RecordBinder.fromMap(BackupSettings.class, Map.of("compression", "zstd:1", "checkpoint", "fast"));

    @Test
    void a_backup_is_neither_published_nor_begun_after_waiting_while_two_nodes_claim_to_be_the_primary()
            throws Exception {
        try (TestCluster alone = TestCluster.start(18, Map.of());
                TestPostgres standby = TestPostgres.prepare(18, Map.of("max_connections", "100"))) {
            Files.createFile(standby.dataDirectory().resolve("standby.signal"));
            standby.restart();
            TestCluster cluster = alone.withStandby(standby.server());
            JobRun published = JobRun.of(new FullBackupJobType(), cluster, QUICK)
                    .before("publishBackup", () -> standby.execute("postgres", "SELECT pg_promote(true, 60)"));

            Outcome refused = published.attempt();

            assertThat(refused.failed().kind()).isEqualTo(FailureKind.REFUSED);
            assertThat(refused.failed()).hasMessageContaining("has 2 nodes that claim to be its primary");
            assertThat(cluster.backups()).isEmpty();
            standby.stop();
            waitsUntilAConflict(cluster, standby);
            standby.stop();
            published.before("publishBackup", () -> {}).attempt().completed();
            assertThat(cluster.backups()).hasSize(1);
        }
    }

    private static void waitsUntilAConflict(TestCluster cluster, TestPostgres other) {
        RememberedRun run = RememberedRun.first(TestCluster.NAME, QUICK, false);
        try (DatabaseOrchestrator clusters = cluster.orchestrator()) {
            HeavyWork.Place place = clusters.cluster(TestCluster.NAME)
                    .node(new NodeAddress("127.0.0.1", cluster.postgres().port()))
                    .heavyWork(RememberedRun.first(TestCluster.NAME, QUICK, false));
            var step = new StreamBaseBackupTasklet(
                    run, BackupType.FULL, clusters, cluster.clusterStorages(), Clock.systemUTC());
            var waiting = CompletableFuture.runAsync(() -> step.execute(null, null));
            await().until(() -> run.progress().snapshot().step().startsWith("wait for run "));
            other.restart();
            place.close();

            assertThatThrownBy(waiting::join).hasMessageContaining("has 2 nodes that claim to be its primary");
        }
    }
}
