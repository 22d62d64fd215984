package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.BaseBackupOptions;
import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.replication.BaseBackupReceiver;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.JobRun.Outcome;
import io.nightshift.jobs.TestCluster;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that stops, hangs or changes its role while it is read, or that is read by others too. */
class ServerFaultsTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = settings(Map.of());
    /** Some ten seconds for an empty cluster, and no work for the processor meanwhile. */
    private static final BackupSettings SLOW = settings(Map.of("max-rate", "4MB", "idle-limit", "10s"));
    /** For backups that come to their end. */
    private static final BackupSettings LESS_SLOW = settings(Map.of("max-rate", "16MB"));

    private static TestCluster server;
    private TestCluster cluster;

    @BeforeAll
    static void start() {
        server = TestCluster.start(18, Map.of());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void freshStorages() {
        cluster = server.withStorages("local");
    }

    @AfterEach
    void deleteStorages() {
        cluster.close();
    }

    // it stops

    @ParameterizedTest
    @ValueSource(strings = {"INT", "QUIT"})
    void a_server_shut_down_in_the_middle_is_unavailable_and_the_restart_takes_a_new_backup(String signal) {
        JobRun run = JobRun.of(TYPE, cluster, SLOW);
        CompletableFuture<Outcome> attempt = run.begin();
        awaitStream(run);

        server.postgres().signalPostmaster(signal);
        Outcome stopped = attempt.join();
        List<String> left = cluster.files();
        server.postgres().restart();
        Outcome next = JobRun.of(TYPE, cluster, QUICK).attempt();

        assertThat(stopped.failed().kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(stopped.failed().explained())
                .startsWith("base backup from 127.0.0.1:" + server.postgres().port() + ": ")
                .contains("\nHINT: see the server's log for wh");
        assertThat(left).containsExactly("local/installation.json");
        next.completed();
        cluster.awaitNoTraces();
    }

    // it hangs

    @ParameterizedTest
    @MethodSource("momentsToHang")
    void a_server_that_hangs_for_longer_than_a_limit_ends_the_run_and_keeps_nothing(String moment) throws Exception {
        JobRun run = JobRun.of(TYPE, cluster, SLOW);
        if (moment.equals("at the checks")) {
            run.before("checkCluster", server.postgres()::freeze);
        }
        CompletableFuture<Outcome> attempt = run.begin();
        if (moment.startsWith("in the middle")) {
            awaitStream(run);
            server.postgres().freeze();
        }
        try {
            if (!moment.contains("idle limit")) {
                run.cancel("time limit of 2s passed");
            }

            Outcome ended = attempt.get(60, TimeUnit.SECONDS);

            if (moment.contains("idle limit")) {
                assertThat(ended.failed().kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
                assertThat(ended.failed().explained()).contains(": the server was silent for too long", "\nHINT: ");
            } else {
                assertThat(ended.failed().kind()).isEqualTo(FailureKind.CANCELLED);
                assertThat(ended.failed()).hasMessage("time limit of 2s passed");
            }
        } finally {
            server.postgres().thaw();
        }
        assertThat(cluster.files()).isSubsetOf("local/installation.json");
        cluster.awaitNoTraces();
        JobRun.of(TYPE, cluster, QUICK).attempt().completed();
    }

    /** A connection attempt and an idle server are given up after ten seconds, too long for a quick round. */
    private static List<String> momentsToHang() {
        return Effort.number() < 20
                ? List.of("in the middle")
                : List.of("in the middle", "at the checks", "in the middle, up to the idle limit");
    }

    // it is promoted

    @Test
    void a_standby_promoted_in_the_middle_is_told_as_such_and_keeps_nothing() throws Exception {
        JobRun.of(TYPE, cluster, QUICK).attempt().completed();
        try (ExtractedBackup extracted = ExtractedBackup.of(cluster);
                TestCluster fresh = server.withStorages("local")) {
            PostgresServer standby = extracted.startAsStandby();
            TestCluster both = fresh.withStandby(standby);
            JobRun run = JobRun.of(TYPE, both, settings(Map.of("max-rate", "4MB", "source", "standby")));
            await().ignoreExceptions().until(() -> receives(standby));
            CompletableFuture<Outcome> attempt = run.begin();
            awaitStream(run);

            execute(standby, "SELECT pg_promote()");
            Outcome promoted = attempt.join();

            assertThat(promoted.failed().kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            assertThat(promoted.failed().explained())
                    .startsWith("base backup from 127.0.0.1:" + standby.port() + ": ")
                    .contains("\nHINT: the standby was promoted while it was read");
            assertThat(fresh.files()).containsExactly("local/installation.json");
            JobRun.of(TYPE, fresh, QUICK).attempt().completed();
        }
    }

    // it is read by others too

    @Test
    void backups_of_two_runs_of_another_process_and_of_another_tool_at_once_are_all_whole() {
        JobRun one = JobRun.of(TYPE, cluster, LESS_SLOW);
        JobRun two = JobRun.of(TYPE, cluster, LESS_SLOW);
        CompletableFuture<Outcome> first = one.begin();
        CompletableFuture<Outcome> second = two.begin();
        awaitStream(one);
        awaitStream(two);
        BackupEnd other;
        try (ChildJvm child = ChildJvm.start(BackupChild.class, cluster.coordinates());
                DatabaseOrchestrator clusters = cluster.orchestrator();
                ReplicationConnection tool =
                        clusters.cluster(TestCluster.NAME).replication(Intent.PRIMARY, "another tool")) {
            other = tool.baseBackup(
                    BaseBackupOptions.labelled("another tool")
                            .checkpoint(Checkpoint.FAST)
                            .build(),
                    new Ignoring());
            assertThat(child.exitStatus()).as("%s", child).isZero();
        }
        first.join().completed();
        second.join().completed();

        assertThat(other.sourceDamaged()).isFalse();
        assertThat(cluster.backups())
                .hasSize(3)
                .allMatch(StoredBackup::isRestorable)
                .extracting(StoredBackup::label)
                .doesNotHaveDuplicates();
        assertThat(cluster.catalog().debris()).isEmpty();
        cluster.awaitNoTraces();
    }

    private static final class Ignoring implements BaseBackupReceiver {

        @Override
        public void started(BackupStart start) {}

        @Override
        public void archive(String name, String location) {}

        @Override
        public void data(byte[] buffer, int offset, int length) {}

        @Override
        public void manifest(byte[] buffer, int offset, int length) {}
    }

    private static boolean receives(PostgresServer standby) throws Exception {
        try (Connection connection = standby.connect("postgres");
                Statement statement = connection.createStatement();
                var row = statement.executeQuery("SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'")) {
            return row.next();
        }
    }

    private static void execute(PostgresServer on, String sql) throws Exception {
        try (Connection connection = on.connect("postgres");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void awaitStream(JobRun run) {
        await().pollInterval(5, TimeUnit.MILLISECONDS)
                .until(() -> run.progress().step().equals("stream base backup")
                        && run.progress().done() > 1_000_000);
    }

    private static BackupSettings settings(Map<String, Object> more) {
        Map<String, Object> all =
                new TreeMap<>(Map.of("compression", "zstd:1", "compression-threads", 1, "checkpoint", "fast"));
        all.putAll(more);
        return RecordBinder.fromMap(BackupSettings.class, all);
    }
}
