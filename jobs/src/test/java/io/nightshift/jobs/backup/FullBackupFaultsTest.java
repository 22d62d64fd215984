package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.Debris;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.JobRun.Outcome;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
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

/** What may break while a backup is taken: it is noticed, nothing is left behind, and a restart or a new run succeeds. */
class FullBackupFaultsTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast"));
    /** Slow enough to interfere in the middle of the stream. */
    private static final BackupSettings SLOW = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:9", "compression-threads", 1, "checkpoint", "fast"));

    private static TestCluster server;
    private TestCluster cluster;

    @BeforeAll
    static void start() throws SQLException {
        server = TestCluster.start(18, Map.of());
        try (Connection connection = server.postgres().connect("postgres")) {
            new ChanukaSample().create(connection, 0.05, new Progress());
        }
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

    // the server

    @Test
    void a_server_killed_in_the_middle_leaves_nothing_and_the_restart_takes_a_new_backup() {
        JobRun run = JobRun.of(TYPE, cluster, SLOW);
        CompletableFuture<Outcome> attempt = run.begin();
        awaitStream(run);

        server.postgres().kill();
        Outcome killed = attempt.join();
        List<String> left = cluster.files();
        server.postgres().restart();
        Outcome restarted = run.attempt().completed();

        assertThat(killed.failed().kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(killed.failed().explained())
                .startsWith("base backup from 127.0.0.1:" + server.postgres().port() + ": ")
                .contains("\nHINT: ");
        assertThat(left).containsExactly("local/installation.json");
        assertThat(restarted.steps())
                .containsExactly("checkCluster", "streamBaseBackup", "verifyStoredBackup", "publishBackup");
        assertThat(cluster.backups()).hasSize(1);
        assertThat(cluster.catalog().debris()).isEmpty();
    }

    @Test
    void a_run_stopped_in_the_middle_frees_the_server_and_leaves_nothing() {
        JobRun run = JobRun.of(TYPE, cluster, SLOW);
        CompletableFuture<Outcome> attempt = run.begin();
        awaitStream(run);

        run.cancel("stopped by anna");
        Outcome stopped = attempt.join();

        assertThat(stopped.failed().kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(stopped.failed()).hasMessage("stopped by anna");
        assertThat(cluster.files()).containsExactly("local/installation.json");
        cluster.awaitNoTraces();
    }

    @Test
    void the_slot_of_a_killed_attempt_does_not_stop_the_next() throws SQLException {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        String slot = "nightshift_run_" + run.context().id();
        server.postgres().execute("postgres", "SELECT pg_create_physical_replication_slot('" + slot + "')");
        try {
            run.attempt().completed();
        } finally {
            server.postgres().execute("postgres", "SELECT pg_drop_replication_slot('" + slot + "')");
        }

        assertThat(cluster.backups()).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void a_page_that_is_wrong_on_the_server_is_a_finding_and_the_backup_is_kept(int major) throws Exception {
        try (TestCluster damaged = TestCluster.start(major, Map.of())) {
            damaged.postgres()
                    .execute(
                            "postgres",
                            "CREATE TABLE broken AS SELECT i FROM generate_series(1, 10000) i",
                            "CHECKPOINT");
            String file = damaged.postgres().text("SELECT pg_relation_filepath('broken')");
            damaged.postgres().stop();
            flipByte(damaged.postgres().dataDirectory().resolve(file), 3 * 8192 + 4000);
            damaged.postgres().restart();

            Outcome outcome = JobRun.of(TYPE, damaged, QUICK).attempt().completed();

            assertThat(outcome.report().exitStatus()).isEqualTo(3);
            assertThat(outcome.findings()).singleElement().satisfies(finding -> {
                assertThat(finding.key()).isEqualTo("backup/source-damage/" + file + "/3");
                assertThat(finding.severity()).isEqualTo(Severity.ERROR);
                assertThat(finding.subject()).isEqualTo(file + " block 3");
            });
            assertThat(outcome.report().summary())
                    .endsWith("equal to the server's manifest; source-damaged, 1 page")
                    .doesNotContain("HINT");
            assertThat(document(damaged).source().damage()).containsExactly(new BackupDocument.SourceDamage(file, 3));
        }
    }

    // the storage

    @Test
    void a_byte_flipped_before_the_read_back_is_found_and_nothing_is_published() {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.before("verifyStoredBackup", () -> flipByte(archive(cluster, "local"), 100_000));

        Outcome damaged = run.attempt();

        assertThat(damaged.failed().kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(damaged.failed().getMessage())
                .startsWith("backup ")
                .contains(" reads back with damage from storage local (", "base.tar.zst bytes ");
        assertThat(damaged.failed().hint())
                .isEqualTo(
                        "nobody has seen the backup and it is given up; look after the storage's disk, then run the job again");
        assertThat(damaged.findings())
                .isNotEmpty()
                .allSatisfy(finding -> assertThat(finding.severity()).isEqualTo(Severity.CRITICAL));
        assertThat(damaged.steps()).doesNotContain("publishBackup");
        assertThat(cluster.files()).containsExactly("local/installation.json");
    }

    @Test
    void a_restart_after_damage_streams_anew_and_withdraws_what_the_first_attempt_found() {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.before("verifyStoredBackup", () -> flipByte(archive(cluster, "local"), 100_000));
        run.attempt().failed();
        run.before("verifyStoredBackup", () -> {});

        Outcome restarted = run.attempt().completed();

        assertThat(run.progress().step()).startsWith("verify ");
        assertThat(restarted.findings())
                .isNotEmpty()
                .allSatisfy(finding -> assertThat(finding.state()).isEqualTo(Finding.State.RESOLVED));
        assertThat(restarted.report().exitStatus()).isZero();
        assertThat(cluster.backups()).hasSize(1);
        assertThat(cluster.catalog().debris()).isEmpty();
    }

    @Test
    void bytes_that_stay_damaged_fail_each_restart_and_never_fill_the_disk() {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.before("verifyStoredBackup", () -> flipByte(archive(cluster, "local"), 100_000));

        Outcome first = run.attempt();
        Outcome second = run.attempt();

        assertThat(second.failed().kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(second.failed().getMessage()).isNotEqualTo(first.failed().getMessage());
        assertThat(cluster.files()).containsExactly("local/installation.json");
    }

    @Test
    void a_backup_that_another_version_described_is_taken_anew_and_read_back_before_it_is_published() {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.before("publishBackup", () -> run.context().remember("backup", "{\"formatVersion\": 2}"));
        run.attempt().failed();
        run.before("publishBackup", () -> {});
        run.before("verifyStoredBackup", () -> flipByte(newestArchive(cluster), 100_000));

        Outcome restarted = run.attempt();

        assertThat(restarted.failed().kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(cluster.backups()).isEmpty();
    }

    @Test
    void damage_in_two_storages_is_told_of_both() {
        try (TestCluster two = server.withStorages("far", "near")) {
            JobRun run = JobRun.of(TYPE, two, QUICK);
            run.before("verifyStoredBackup", () -> {
                flipByte(archive(two, "far"), 100_000);
                flipByte(archive(two, "near"), 100_000);
            });

            Outcome damaged = run.attempt();

            assertThat(damaged.failed().getMessage()).contains("storage far (", " and from storage near (");
            assertThat(damaged.findings())
                    .extracting(Finding::subject)
                    .anyMatch(subject -> subject.endsWith("in storage far"))
                    .anyMatch(subject -> subject.endsWith("in storage near"));
            assertThat(two.backups()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"streamBaseBackup", "verifyStoredBackup", "publishBackup"})
    void a_storage_that_goes_away_fails_the_step_and_the_restart_goes_on_from_there(String step) {
        Path storage = cluster.storage("local");
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.before(step, () -> replaceByFile(storage));

        Outcome gone = run.attempt();
        bringBack(storage);
        List<StoredBackup> visible = cluster.backups();
        List<String> streamed = cluster.files();
        run.before(step, () -> {});
        Outcome restarted = run.attempt().completed();

        assertThat(gone.failed().kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
        assertThat(gone.failed().explained()).contains("in storage local", "\nHINT: ");
        assertThat(gone.steps()).endsWith(step);
        assertThat(visible).isEmpty();
        assertThat(restarted.steps()).contains(step, "publishBackup");
        // What was streamed is not streamed again, what was read back not read back again.
        assertThat(cluster.files()).containsAll(streamed);
        assertThat(run.progress().step()).startsWith(step.equals("publishBackup") ? "check cluster" : "verify ");
        assertThat(cluster.backups()).hasSize(1);
        assertThat(cluster.catalog().debris()).isEmpty();
        cluster.awaitNoTraces();
    }

    @Test
    void a_storage_that_goes_away_in_the_middle_frees_the_server_and_shows_no_backup() {
        Path storage = cluster.storage("local");
        JobRun run = JobRun.of(TYPE, cluster, SLOW);
        CompletableFuture<Outcome> attempt = run.begin();
        awaitStream(run);

        replaceByFile(storage);
        Outcome gone = attempt.join();
        bringBack(storage);

        assertThat(gone.failed().kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
        assertThat(cluster.backups()).isEmpty();
        assertThat(cluster.catalog().debris()).extracting(Debris::storage).containsExactly("local");
        cluster.awaitNoTraces();
    }

    @Test
    void a_full_disk_is_told_as_such_and_keeps_nothing_of_the_backup() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "bash",
                "-c",
                // No file may grow beyond 2 MB: the archive would.
                "ulimit -f 2048; exec \"$0\" \"$@\"",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                BackupChild.class.getName()));
        command.addAll(List.of(cluster.coordinates()));

        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(child.waitFor()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED.exitStatus());
        assertThat(output)
                .containsPattern(
                        "cannot write object chanuka/.*/base.tar.zst in storage local: File too large, \\d+ bytes free")
                .contains("HINT: free space there or expire backups");
        assertThat(cluster.files()).containsExactly("local/installation.json");
        cluster.awaitNoTraces();
    }

    // the run

    @ParameterizedTest
    @MethodSource("placesToDie")
    void a_process_killed_before_the_backup_is_published_leaves_debris_and_a_free_server(String place) {
        try (ChildJvm child =
                ChildJvm.start(BackupChild.class, Map.of("NIGHTSHIFT_CRASH_AT", place), cluster.coordinates())) {
            assertThat(child.exitStatus()).isEqualTo(CrashPoint.EXIT_STATUS);
        }

        assertThat(cluster.backups()).isEmpty();
        assertThat(cluster.catalog().debris())
                .singleElement()
                .satisfies(debris -> assertThat(debris.marker()).isPresent());
        cluster.awaitNoTraces();
    }

    @Test
    void a_process_killed_after_the_backup_is_published_leaves_the_backup() {
        try (ChildJvm child = ChildJvm.start(
                BackupChild.class, Map.of("NIGHTSHIFT_CRASH_AT", "backup.after-publish"), cluster.coordinates())) {
            assertThat(child.exitStatus()).isEqualTo(CrashPoint.EXIT_STATUS);
        }

        assertThat(cluster.backups())
                .singleElement()
                .satisfies(backup -> assertThat(backup.isRestorable()).isTrue());
        assertThat(cluster.catalog().debris()).isEmpty();
    }

    @Test
    void a_restart_of_a_published_backup_is_harmless() {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.attempt().completed();
        List<String> published = cluster.files();
        BackupDocument document = document(cluster);

        try (DatabaseOrchestrator clusters = cluster.orchestrator()) {
            new PublishBackupTasklet(run.context(), clusters, cluster.clusterStorages()).execute(null, null);
        }
        Outcome restarted = run.attempt().completed();

        assertThat(restarted.steps()).doesNotContain("publishBackup");
        assertThat(cluster.files()).isEqualTo(published);
        assertThat(document(cluster)).isEqualTo(document);
    }

    @Test
    void a_run_that_is_stopped_before_it_publishes_publishes_nothing() {
        JobRun run = JobRun.of(TYPE, cluster, QUICK);
        run.before("publishBackup", () -> run.cancel("stopped by anna"));

        Outcome stopped = run.attempt();

        assertThat(stopped.failed().kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(cluster.backups()).isEmpty();
    }

    /** All of them at full effort. */
    private static List<String> placesToDie() {
        return Effort.number() < 20
                ? List.of("backup.data", "backup.before-publish")
                : List.of(
                        "backup.after-marker",
                        "backup.started",
                        "backup.data",
                        "backup.after-stream",
                        "backup.before-publish");
    }

    private static void awaitStream(JobRun run) {
        await().pollInterval(2, TimeUnit.MILLISECONDS)
                .until(() -> run.progress().step().equals("stream base backup")
                        && run.progress().done() > 1_000_000);
    }

    private static BackupDocument document(TestCluster cluster) {
        assertThat(cluster.backups()).hasSize(1);
        return cluster.backups().get(0).document().orElseThrow();
    }

    private static Path archive(TestCluster cluster, String storage) {
        return cluster.files().stream()
                .filter(file -> file.startsWith(storage + "/") && file.endsWith("/base.tar.zst"))
                .map(file -> cluster.storage(storage).resolveSibling(file))
                .findFirst()
                .orElseThrow();
    }

    private static Path newestArchive(TestCluster cluster) {
        return cluster.files().stream()
                .filter(file -> file.endsWith("/base.tar.zst"))
                .map(file -> cluster.storage("local").resolveSibling(file))
                .max(Comparator.comparing(file -> file.toFile().lastModified()))
                .orElseThrow();
    }

    /** As an unmounted disk looks whose mount point somebody has written over. */
    private static void replaceByFile(Path storage) {
        try {
            Files.move(storage, storage.resolveSibling("away"));
            Files.createFile(storage);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void bringBack(Path storage) {
        try {
            FileTree.delete(storage);
            Files.move(storage.resolveSibling("away"), storage);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void flipByte(Path file, long position) {
        try (var bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(position);
            int was = bytes.read();
            bytes.seek(position);
            bytes.write(was ^ 0x10);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
