package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.ArchiveTrial.PATIENCE;
import static io.nightshift.jobs.wal.ArchiveTrial.QUICK;
import static io.nightshift.jobs.wal.ArchiveTrial.SLOT;
import static io.nightshift.jobs.wal.ArchiveTrial.slot;
import static io.nightshift.jobs.wal.ArchiveTrial.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TcpRelay;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The archive of a server that does not change its timeline, and that keeps its WAL for the comparison. */
class WalArchiveTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final Map<Integer, TestCluster> SERVERS = new TreeMap<>();

    private final List<TestCluster> opened = new ArrayList<>();

    private TestCluster cluster(int major) {
        TestCluster cluster = SERVERS.computeIfAbsent(
                        major, version -> TestCluster.start(version, Map.of("wal_keep_size", "2GB")))
                .withStorages("local");
        opened.add(cluster);
        return cluster;
    }

    @AfterEach
    void forget() {
        opened.forEach(cluster -> {
            cluster.postgres()
                    .text("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active");
            cluster.close();
        });
    }

    @AfterAll
    static void stop() {
        SERVERS.values().forEach(TestCluster::close);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void stores_everything_soon_and_goes_on_where_it_ended_its_day(int major) throws Exception {
        TestCluster cluster = cluster(major);
        TestPostgres postgres = cluster.postgres();
        Lsn first;
        try (var today = new ArchiveTrial(cluster, major, QUICK).begin()) {
            await().atMost(PATIENCE).until(() -> slot(postgres).isPresent());
            write(postgres, 2);
            first = today.awaitArchived(postgres, FIRST);
            var outcome = today.endDay();
            assertThat(outcome.report().findings()).isEmpty();
            assertThat(outcome.report().summary()).startsWith("archived up to ").contains(" of timeline 1: ");
            assertThat(outcome.report().figures())
                    .extracting(Figure::name)
                    .contains("archive lag", "retained WAL", "received WAL", "stored WAL", "segments");
        }
        write(postgres, 1);

        try (var tomorrow = new ArchiveTrial(cluster, major, QUICK).begin()) {
            Lsn second = tomorrow.awaitArchived(postgres, FIRST);
            assertThat(second).isGreaterThan(first);
            tomorrow.endDay();

            assertThat(tomorrow.assertComplete(postgres).ranges()).hasSize(1);
            assertThat(tomorrow.gaps(postgres)).isEmpty();
        }
        await().untilAsserted(() -> assertThat(cluster.traces()).containsExactly("slot " + SLOT));
    }

    @Test
    void goes_on_after_connections_were_cut_again_and_again() throws Exception {
        TestCluster direct = cluster(18);
        TestPostgres postgres = direct.postgres();
        try (var relay = TcpRelay.to(postgres.port());
                var trial = new ArchiveTrial(direct.through(relay.port()), 18, QUICK).begin()) {
            for (int i = 0; i < Effort.of(2, 20); i++) {
                write(postgres, 1);
                relay.cut();
                trial.awaitArchived(postgres, FIRST);
            }
            trial.endDay();

            assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
        }
    }

    @Test
    void goes_on_after_its_process_was_killed() throws IOException {
        TestCluster cluster = cluster(18);
        TestPostgres postgres = cluster.postgres();
        for (String crash : List.of("wal.after-store", "wal.before-commit").subList(0, Effort.of(1, 2))) {
            try (var child =
                    ChildJvm.start(ArchiveChild.class, Map.of("NIGHTSHIFT_CRASH_AT", crash), cluster.coordinates())) {
                await().atMost(PATIENCE).until(() -> slot(postgres).isPresent());
                write(postgres, 1);
                assertThat(child.exitStatus()).as(child.toString()).isEqualTo(137);
            }
        }

        try (var trial = new ArchiveTrial(cluster, 18, QUICK).begin()) {
            trial.awaitArchived(postgres, FIRST);
            trial.endDay();
            assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
        }
        assertThat(cluster.files()).noneMatch(file -> file.endsWith(".spool"));
    }

    @Test
    void refuses_to_become_a_synchronous_standby() {
        TestCluster cluster = cluster(18);
        TestPostgres postgres = cluster.postgres();
        try (var trial = new ArchiveTrial(cluster, 18, QUICK).begin()) {
            write(postgres, 0);
            trial.awaitArchived(postgres, FIRST);

            postgres.execute(
                    "postgres",
                    "SET synchronous_commit = local",
                    "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (other, *)'",
                    "SELECT pg_reload_conf()");

            var failure = trial.outcome().failed();
            assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
            assertThat(failure.getMessage())
                    .contains("is 'FIRST 1 (other, *)', which matches the archive ('nightshift')");
            var again = JobRun.of(new WalArchiveJobType(), cluster, QUICK).attempt();
            assertThat(again.failed().getMessage()).isEqualTo(failure.getMessage());
        } finally {
            postgres.execute(
                    "postgres",
                    "SET synchronous_commit = local",
                    "ALTER SYSTEM RESET synchronous_standby_names",
                    "SELECT pg_reload_conf()");
        }
    }

    @Test
    void leaves_the_work_to_the_archiver_that_is_there() {
        TestCluster cluster = cluster(18);
        TestPostgres postgres = cluster.postgres();
        try (var trial = new ArchiveTrial(cluster, 18, QUICK).begin()) {
            write(postgres, 0);
            trial.awaitArchived(postgres, FIRST);

            var second = JobRun.of(new WalArchiveJobType(), cluster, QUICK).attempt();

            assertThat(second.failed().kind()).isEqualTo(FailureKind.REFUSED);
            assertThat(second.failed().getMessage()).contains("is in use by process");
            write(postgres, 0);
            trial.awaitArchived(postgres, FIRST);
        }
    }

    @Test
    void a_dry_run_says_where_it_would_go_on_and_leaves_nothing_behind() {
        TestCluster cluster = cluster(18);

        var outcome =
                JobRun.dry(new WalArchiveJobType(), cluster, QUICK).attempt().completed();

        assertThat(outcome.report().summary()).contains("would begin with what 127.0.0.1:");
        cluster.awaitNoTraces();
        assertThat(cluster.files()).isEmpty();
    }

    @Test
    void makes_a_slot_again_that_somebody_has_dropped_and_fetches_what_is_still_there() throws Exception {
        TestCluster cluster = cluster(18);
        TestPostgres postgres = cluster.postgres();
        try (var trial = new ArchiveTrial(cluster, 18, QUICK).begin()) {
            write(postgres, 1);
            trial.awaitArchived(postgres, FIRST);
            trial.endDay();
        }
        postgres.text("SELECT pg_drop_replication_slot('" + SLOT + "')");
        write(postgres, 2);
        postgres.execute("postgres", "CHECKPOINT");
        write(postgres, 1);

        try (var trial = new ArchiveTrial(cluster, 18, QUICK).begin()) {
            trial.awaitArchived(postgres, FIRST);
            await().atMost(PATIENCE).until(() -> "t".equals(postgres.text("SELECT active FROM pg_replication_slots")));
            trial.endDay();

            assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
            assertThat(trial.gaps(postgres)).isEmpty();
            assertThat(trial.run().requests()).isEmpty();
            assertThat(trial.run().report().findings())
                    .extracting(Finding::key)
                    .noneMatch(key -> key.startsWith("wal/gap"));
        }
    }
}
