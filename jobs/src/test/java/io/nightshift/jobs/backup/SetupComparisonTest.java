package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.SetupComparison.Item;
import io.nightshift.jobs.backup.SetupComparison.Room;
import io.nightshift.jobs.backup.SetupComparison.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SetupComparisonTest {

    private static final BackupSettings QUICK =
            RecordBinder.fromMap(BackupSettings.class, Map.of("compression", "zstd:1", "checkpoint", "fast"));

    static List<Integer> majors() {
        return PostgresVersions.underTest();
    }

    @ParameterizedTest
    @MethodSource("majors")
    void what_it_says_is_to_do_makes_everything_right_when_it_is_done_word_for_word(int major) throws Exception {
        try (TestCluster server = TestCluster.start(major, Map.of("max_wal_senders", "2"))) {
            server.postgres().execute("postgres", "CREATE ROLE \"night shift\" LOGIN PASSWORD 'chosen'");
            TestCluster cluster = server.as("night shift", "chosen");

            SetupComparison before = compare(cluster);
            before.items().stream()
                    .filter(item -> item.state() == State.MISSING || item.state() == State.NEEDS_RELOAD)
                    .flatMap(item ->
                            List.of(Objects.requireNonNull(item.remedy()).split("; ")).stream())
                    .forEach(sql -> server.postgres().execute("postgres", sql));
            server.postgres().restart(Map.of("max_wal_senders", "10"));
            Files.createDirectories(server.storage("local"));
            SetupComparison after = compare(cluster);

            assertThat(before.items())
                    .filteredOn(item -> item.state() == State.NEEDS_RESTART)
                    .containsExactly(new Item(
                            "max_wal_senders",
                            "2, 2 free",
                            State.NEEDS_RESTART,
                            "ALTER SYSTEM SET max_wal_senders = 10"));
            assertThat(before.items())
                    .filteredOn(item -> item.state() == State.MISSING)
                    .extracting(Item::name)
                    .containsExactly("role \"night shift\"", "pg_monitor", "pg_file_settings", "pg_hba_file_rules");
            assertThat(before.isPartial()).isTrue();
            assertThat(after.items())
                    .allSatisfy(item -> assertThat(item.state()).isEqualTo(State.RIGHT));
        }
    }

    @Test
    void a_missing_line_of_pg_hba_is_given_as_it_has_to_be_written() throws Exception {
        try (TestCluster server = TestCluster.start(18, Map.of())) {
            server.postgres().execute("postgres", "CREATE ROLE \"night shift\" LOGIN REPLICATION PASSWORD 'chosen'");
            Path hba = server.postgres().dataDirectory().resolve("pg_hba.conf");
            Files.writeString(hba, "host all all 127.0.0.1/32 scram-sha-256\n", StandardOpenOption.TRUNCATE_EXISTING);
            server.postgres().execute("postgres", "SELECT pg_reload_conf()");
            TestCluster cluster = server.as("night shift", "chosen");

            var refusedDryRun = JobRun.dry(new FullBackupJobType(), cluster, QUICK)
                    .attempt()
                    .failed();
            String remedy = Objects.requireNonNull(replication(compare(cluster)).remedy());
            Files.writeString(hba, remedy.substring(remedy.indexOf(": ") + 2) + "\n", StandardOpenOption.APPEND);
            server.postgres().execute("postgres", "SELECT pg_reload_conf()");
            var dryRun = JobRun.dry(new FullBackupJobType(), cluster, QUICK).attempt();

            assertThat(remedy)
                    .isEqualTo("add this line to the server's pg_hba.conf, above lines that match more, and reload it: "
                            + "host replication \"night shift\" 127.0.0.1/32 scram-sha-256");
            assertThat(refusedDryRun.hint()).isEqualTo(remedy);
            assertThat(replication(compare(cluster)).state()).isEqualTo(State.RIGHT);
            dryRun.completed();
        }
    }

    @Test
    void sizes_tell_how_many_backups_fit() {
        try (TestCluster cluster = TestCluster.start(18, Map.of())) {
            JobRun.of(new FullBackupJobType(), cluster, QUICK).attempt().completed();

            SetupComparison comparison = compare(cluster);

            Room room = comparison.rooms().get(0);
            long stored = cluster.backups().get(0).document().orElseThrow().storedBytes();
            assertThat(room.storages()).containsExactly("local");
            assertThat(room.expected()).isEqualTo(stored);
            assertThat(room.fulls()).isEqualTo(room.free() / stored);
            assertThat(comparison.clusterBytes()).isGreaterThan(stored);
        }
    }

    private static Item replication(SetupComparison comparison) {
        return comparison.items().stream()
                .filter(item -> item.name().equals("pg_hba.conf for replication"))
                .findFirst()
                .orElseThrow();
    }

    private static SetupComparison compare(TestCluster cluster) {
        try (DatabaseOrchestrator clusters = cluster.orchestrator()) {
            return SetupComparison.of(
                    clusters.cluster(TestCluster.NAME),
                    cluster.clusterStorages().forReading(TestCluster.NAME),
                    Clock.systemUTC());
        }
    }
}
