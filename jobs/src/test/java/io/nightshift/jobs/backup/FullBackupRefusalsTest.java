package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server may lack for a base backup; the backup of a server that lacks nothing is the control. */
class FullBackupRefusalsTest {

    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast"));

    private static TestCluster server;
    private TestCluster cluster;

    @BeforeAll
    static void start() {
        server = TestCluster.start(18, Map.of("max_wal_senders", "2", "max_replication_slots", "1"));
        server.postgres()
                .execute(
                        "postgres",
                        "CREATE ROLE backup LOGIN REPLICATION PASSWORD 'secret'",
                        "CREATE ROLE \"plain role\" LOGIN PASSWORD 'secret'");
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

    @Test
    void a_role_with_replication_and_nothing_else_is_enough() {
        run(cluster.as("backup", "secret")).completed();

        assertThat(cluster.backups()).hasSize(1);
    }

    @Test
    void a_wrong_password_is_told_without_the_password() {
        var failure = run(cluster.as("backup", "not-this-one")).failed();

        assertRefused(
                failure,
                FailureKind.CONFIGURATION,
                "connection to 127.0.0.1:" + port() + " of cluster chanuka refused: "
                        + "password authentication failed for user \"backup\"",
                "correct the password in clusters/chanuka.yaml, its variable or .pgpass; or set it, in psql: \\password \"backup\"");
        assertThat(failure.explained()).doesNotContain("not-this-one");
    }

    @Test
    void a_role_without_replication_is_told_the_statement_that_grants_it() {
        var failure = run(cluster.as("plain role", "secret")).failed();

        assertRefused(
                failure,
                FailureKind.CONFIGURATION,
                "base backup of cluster chanuka is not possible: role plain role may not replicate",
                "ALTER ROLE \"plain role\" REPLICATION");
    }

    @Test
    void used_up_wal_senders_are_told() {
        NightshiftException failure;
        try (DatabaseOrchestrator clusters = cluster.orchestrator();
                var one = clusters.cluster(TestCluster.NAME).replication(Intent.PRIMARY, "other one");
                var two = clusters.cluster(TestCluster.NAME).replication(Intent.PRIMARY, "other two")) {
            failure = run(cluster).failed();
            assertThat(List.of(one.server(), two.server())).hasSize(2);
        }

        assertRefused(
                failure,
                FailureKind.RESOURCES_EXHAUSTED,
                "base backup of cluster chanuka is not possible: all 2 WAL senders are in use",
                "raise max_wal_senders and restart the server, or do not overlap this job with other backups");
    }

    @Test
    void used_up_slots_are_told() {
        server.postgres().execute("postgres", "SELECT pg_create_physical_replication_slot('of_a_standby')");
        NightshiftException failure;
        try {
            failure = run(cluster).failed();
        } finally {
            server.postgres().execute("postgres", "SELECT pg_drop_replication_slot('of_a_standby')");
        }

        assertRefused(
                failure,
                FailureKind.RESOURCES_EXHAUSTED,
                "base backup of cluster chanuka is not possible: all 1 replication slots are in use",
                "raise max_replication_slots and restart the server, or drop a slot that nobody uses");
    }

    @Test
    void a_server_that_logs_too_little_is_told() {
        try (TestCluster minimal = TestCluster.start(18, Map.of("wal_level", "minimal", "max_wal_senders", "0"))) {
            var failure = run(minimal).failed();

            assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
            assertThat(failure.explained())
                    .isEqualTo("base backup of cluster chanuka is not possible: wal_level is minimal\n"
                            + "HINT: ALTER SYSTEM SET wal_level = replica; ALTER SYSTEM SET max_wal_senders = 10;"
                            + " then restart the server");
            assertThat(minimal.files()).isEmpty();
        }
    }

    private void assertRefused(NightshiftException failure, FailureKind kind, String fact, String hint) {
        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure.explained()).isEqualTo(fact + "\nHINT: " + hint);
        assertThat(cluster.files()).isEmpty();
    }

    private static JobRun.Outcome run(TestCluster cluster) {
        return JobRun.of(new FullBackupJobType(), cluster, QUICK).attempt();
    }

    private static int port() {
        return server.postgres().port();
    }
}
