package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.Finding;
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

    @Test
    void a_backup_that_waits_while_a_standby_takes_over_is_read_from_there_and_says_so() throws Exception {
        try (TestCluster alone = TestCluster.start(18, Map.of());
                TestPostgres standby = TestPostgres.prepare(18, Map.of("max_connections", "100"))) {
            Files.createFile(standby.dataDirectory().resolve("standby.signal"));
            standby.restart();
            TestCluster cluster = alone.withStandby(standby.server());
            RememberedRun run = RememberedRun.first(TestCluster.NAME, QUICK, false);
            try (DatabaseOrchestrator clusters = cluster.orchestrator()) {
                var waiting = waiting(run, cluster, clusters);
                cluster.postgres().stop();
                standby.execute("postgres", "SELECT pg_promote(true, 60)");
                waiting.place().close();
                waiting.step().join();
            }

            assertThat(WrittenBackup.recall(run).timeline()).isEqualTo(new Timeline(2));
            assertThat(run.report().findings())
                    .filteredOn(finding -> finding.key().equals("backup/promotion"))
                    .extracting(Finding::detail)
                    .containsExactly(
                            "went from timeline 1 to timeline 2 while the run waited for its place: the backup is"
                                    + " read from 127.0.0.1:" + standby.port());
        }
    }

    @Test
    void a_standby_that_still_follows_a_primary_which_the_cluster_has_left_gives_no_backup() throws Exception {
        try (TestCluster present = TestCluster.start(18, Map.of("max_connections", "100"));
                TestPostgres left = TestPostgres.start(18);
                TestPostgres astray = TestPostgres.prepare(
                        18,
                        Map.of(
                                "max_connections",
                                "100",
                                "primary_conninfo",
                                "host=127.0.0.1 port=" + left.port() + " user=postgres password=" + left.password()))) {
            Files.createFile(astray.dataDirectory().resolve("standby.signal"));
            astray.restart();
            Files.createFile(present.postgres().dataDirectory().resolve("standby.signal"));
            present.postgres().restart();
            present.postgres().execute("postgres", "SELECT pg_promote(true, 60)");
            await().until(() -> astray.number("SELECT count(*) FROM pg_stat_wal_receiver") == 1);

            var refused = JobRun.of(
                            new FullBackupJobType(),
                            present.withStandby(astray.server()),
                            RecordBinder.withOverrides(QUICK, Map.of("source", "standby")))
                    .attempt()
                    .failed();

            assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
            assertThat(refused)
                    .hasMessage("node 127.0.0.1:" + astray.port()
                            + " of cluster chanuka is on timeline 1, which the cluster has left: timeline 2 was seen");
            assertThat(present.backups()).isEmpty();
        }
    }

    /** A step that waits for a place which somebody else has. */
    private record Waiting(HeavyWork.Place place, CompletableFuture<?> step) {}

    private static Waiting waiting(RememberedRun run, TestCluster cluster, DatabaseOrchestrator clusters) {
        HeavyWork.Place place = clusters.cluster(TestCluster.NAME)
                .node(new NodeAddress("127.0.0.1", cluster.postgres().port()))
                .heavyWork(RememberedRun.first(TestCluster.NAME, QUICK, false));
        var step = new StreamBaseBackupTasklet(
                run, clusters, cluster.clusterStorages(), cluster.workFolder(), Clock.systemUTC());
        var waiting = CompletableFuture.runAsync(() -> step.execute(null, null));
        await().until(() -> run.progress().snapshot().step().startsWith("wait for run "));
        return new Waiting(place, waiting);
    }

    private static void waitsUntilAConflict(TestCluster cluster, TestPostgres other) {
        RememberedRun run = RememberedRun.first(TestCluster.NAME, QUICK, false);
        try (DatabaseOrchestrator clusters = cluster.orchestrator()) {
            Waiting waiting = waiting(run, cluster, clusters);
            other.restart();
            waiting.place().close();

            assertThatThrownBy(() -> waiting.step().join())
                    .hasMessageContaining("has 2 nodes that claim to be its primary");
        }
    }
}
