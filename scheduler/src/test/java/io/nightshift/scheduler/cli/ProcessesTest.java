package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Home;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunState;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What only processes show: kills, signals, two at once. One home and one managed server for all. */
class ProcessesTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final List<String> CRASH_POINTS = List.of(
            "launch.after-begin",
            "backup.data",
            "backup.before-publish",
            "finish.before-close",
            "launch.after-lease",
            "launch.before-start",
            "backup.after-marker",
            "backup.started",
            "backup.after-stream",
            "storage.before-link",
            "storage.after-link",
            "backup.after-publish",
            "finish.after-close");

    private static TestPostgres managed;
    private static Installation installation;

    private final List<ChildJvm> children = new ArrayList<>();

    @BeforeAll
    static void open() {
        managed = TestPostgres.start(PostgresVersion.NEWEST_SUPPORTED_MAJOR);
        installation = Installation.embedded()
                .write("clusters/prod.yaml", """
                        nodes: ["127.0.0.1:%d"]
                        username: %s
                        password: "%s"
                        storages: {local: required}
                        """.formatted(managed.port(), managed.username(), managed.password()));
    }

    @AfterAll
    static void close() {
        managed.close();
        installation.close();
    }

    @AfterEach
    void endChildren() {
        children.forEach(ChildJvm::close);
    }

    private ChildJvm nightshift(Map<String, String> environment, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString()));
        all.addAll(List.of(arguments));
        ChildJvm child = ChildJvm.start(Main.class, environment, all.toArray(String[]::new));
        children.add(child);
        return child;
    }

    private ChildJvm backup(String checkpoint, String... more) {
        List<String> words = new ArrayList<>(
                List.of("run", "full-backup", "--cluster", "prod", "--set", "checkpoint=" + checkpoint));
        words.addAll(List.of(more));
        return nightshift(Map.of(), words.toArray(String[]::new));
    }

    private static List<Run> history(ControlDatabase database) {
        return new RunHistory(database.pool()).runs(RunFilter.newest(1_000));
    }

    private static long onManaged(String count) {
        return managed.number("SELECT count(*) FROM " + count);
    }

    private static void assertNothingIsLeftOnTheManagedServer() {
        await().atMost(LIMIT).untilAsserted(() -> {
            assertThat(onManaged("pg_replication_slots")).isZero();
            assertThat(onManaged("pg_stat_replication")).isZero();
            assertThat(onManaged(
                            "pg_stat_activity WHERE application_name LIKE 'nightshift%' AND pid <> pg_backend_pid()"))
                    .isZero();
        });
    }

    private static void assertTheLedgerIsTidy(ControlDatabase database) throws Exception {
        assertThat(history(database)).allMatch(run -> run.state().hasEnded());
        assertThat(Installation.sql(database)
                        .sql("SELECT name FROM lease UNION ALL SELECT name FROM node")
                        .query(String.class)
                        .list())
                .isEmpty();
        assertThat(lockFiles()).isEmpty();
    }

    private static List<Path> lockFiles() throws Exception {
        try (Stream<Path> files = Files.list(installation.home().resolve("nodes"))) {
            return files.toList();
        }
    }

    /** Returns how many visible backups there are; each is sound. */
    private static int soundBackups() {
        Surroundings surroundings = installation.surroundings();
        var configuration = surroundings.configuration();
        List<Storage> storages = new ClusterStorages(
                        configuration.clusters(),
                        configuration.storages(),
                        surroundings.home().installation(),
                        surroundings.home().knownStorages(),
                        surroundings.clock())
                .forReading("prod");
        List<StoredBackup> backups = new BackupCatalog(storages).backups("prod");
        assertThat(backups)
                .allMatch(StoredBackup::isRestorable)
                .allSatisfy(backup -> assertThat(new BackupVerifier(1)
                                .verify(
                                        storages.get(0),
                                        backup.document().orElseThrow(),
                                        new Progress(),
                                        new Cancellation())
                                .damages())
                        .isEmpty());
        return backups.size();
    }

    private static void awaitWaitForTheCheckpoint() {
        await().atMost(LIMIT)
                .until(() ->
                        onManaged("pg_stat_progress_basebackup WHERE phase = 'waiting for checkpoint to finish'") == 1);
    }

    /** Dirty pages, so that a spread checkpoint takes minutes. */
    private static void makeWorkForTheCheckpoint() {
        managed.execute(
                "postgres",
                "DROP TABLE IF EXISTS dirt",
                "CHECKPOINT",
                "CREATE TABLE dirt AS SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g");
    }

    @Test
    void leaves_nothing_unfinished_or_broken_wherever_its_process_was_killed() throws Exception {
        List<String> points = new ArrayList<>(CRASH_POINTS);
        Collections.shuffle(
                points, Seed.underTest().get(Seed.underTest().size() - 1).random());
        points = points.subList(0, Effort.of(1, CRASH_POINTS.size()));
        for (String point : points) {
            ChildJvm killed = nightshift(
                    Map.of("NIGHTSHIFT_CRASH_AT", point),
                    "run",
                    "full-backup",
                    "--cluster",
                    "prod",
                    "--set",
                    "checkpoint=fast");
            assertThat(killed.exitStatus()).as(point + "\n" + killed).isEqualTo(137);
        }

        ChildJvm next = backup("fast");

        assertThat(next.exitStatus()).as(next.toString()).isZero();
        assertNothingIsLeftOnTheManagedServer();
        assertThat(soundBackups()).isPositive();
        try (ControlDatabase database = installation.controlDatabase()) {
            assertTheLedgerIsTidy(database);
            assertThat(history(database).get(0).state()).isEqualTo(RunState.COMPLETED);
        }
        assertThat(controlServerRuns()).isFalse();
    }

    @Test
    void completes_a_published_backup_whose_process_was_killed_once_somebody_serves() throws Exception {
        int before = soundBackups();
        ChildJvm killed = nightshift(
                Map.of("NIGHTSHIFT_CRASH_AT", "backup.after-publish"),
                "run",
                "full-backup",
                "--cluster",
                "prod",
                "--set",
                "checkpoint=fast");
        assertThat(killed.exitStatus()).as(killed.toString()).isEqualTo(137);

        try (ControlDatabase database = installation.controlDatabase()) {
            try (Nightshift serving = installation.serving(database)) {
                assertThat(serving.httpPort()).isPositive();
                await().atMost(LIMIT)
                        .until(() -> history(database).get(0).state().hasEnded());
            }

            assertThat(history(database).get(0).state())
                    .as(history(database).get(0).reason())
                    .isEqualTo(RunState.COMPLETED);
            assertThat(history(database).get(0).report().summary()).isNotEmpty();
            assertThat(soundBackups()).isEqualTo(before + 1);
            assertTheLedgerIsTidy(database);
        }
    }

    @Test
    void refuses_the_second_of_two_launches_at_once() {
        managed.freeze();
        ChildJvm first = backup("fast");
        ChildJvm second = backup("fast");

        await().atMost(LIMIT)
                .until(() -> Stream.of(first, second)
                                .filter(child -> child.output().stream()
                                        .anyMatch(line ->
                                                line.startsWith("nightshift: job full-backup is already there")))
                                .count()
                        == 1);
        managed.thaw();

        assertThat(List.of(first.exitStatus(), second.exitStatus()))
                .as(first + "\n" + second)
                .containsExactlyInAnyOrder(0, 4);
    }

    @Test
    void stops_a_backup_when_it_is_terminated() throws Exception {
        makeWorkForTheCheckpoint();
        ChildJvm terminated = backup("spread");
        awaitWaitForTheCheckpoint();

        ProcessHandle.of(terminated.pid()).orElseThrow().destroy();

        assertThat(terminated.exitStatus()).as(terminated.toString()).isEqualTo(7);
        assertNothingIsLeftOnTheManagedServer();
        try (ControlDatabase database = installation.controlDatabase()) {
            assertTheLedgerIsTidy(database);
            assertThat(history(database).get(0).state()).isEqualTo(RunState.STOPPED);
            assertThat(history(database).get(0).reason()).isEqualTo("stopped by a signal, as Ctrl-C sends it");
        }
    }

    @Test
    void shares_its_control_database_with_a_process_that_serves_for_as_long_as_either_lives() {
        makeWorkForTheCheckpoint();
        ChildJvm serve = nightshift(Map.of(), "serve");
        serve.awaitLine("nightshift serves as");
        ChildJvm queued = backup("fast");
        boolean served = queued.exitStatus() == 0;
        makeWorkForTheCheckpoint();
        ChildJvm here = backup("spread", "--here");
        awaitWaitForTheCheckpoint();

        serve.interruptGroup();
        int serveStatus = serve.exitStatus();
        boolean runsMeanwhile = controlServerRuns();
        managed.execute("postgres", "CHECKPOINT");

        assertThat(served).as(queued.toString()).isTrue();
        assertThat(queued.output()).anyMatch(line -> line.contains("worked by nightshift serve"));
        assertThat(serveStatus).as(serve.toString()).isZero();
        assertThat(runsMeanwhile).isTrue();
        assertThat(here.exitStatus()).as(here.toString()).isZero();
        assertThat(controlServerRuns()).isFalse();
    }

    /** In this process, which has loaded its classes. */
    @Test
    void exports_a_backup_and_a_file_of_it_and_enters_both_in_the_history() throws Exception {
        assertThat(here("run", "full-backup", "--cluster", "prod", "--set", "checkpoint=fast")
                        .exitStatus())
                .isZero();
        String label = newestLabel();
        Path folder = TestPostgres.temporaryDirectory("exports-");
        String data = folder.resolve("data").toString();
        Path file = folder.resolve("version");

        Answer plain = here("export", label, "--to", data, "--output", "json");
        Answer again = here("export", label, "--to", data);
        Answer version = here("export", label, "--single-file", "PG_VERSION", "--to", file.toString());

        assertThat(plain.exitStatus()).as(plain.toString()).isZero();
        JsonNode document = JsonMapper.shared().readTree(plain.out());
        assertThat(document.path("label").asString()).isEqualTo(label);
        assertThat(document.path("directory").asString()).isEqualTo(data);
        assertThat(document.path("format").asString()).isEqualTo("plain");
        assertThat(document.path("files").asInt()).isGreaterThan(900);
        assertThat(folder.resolve("data/global/pg_control")).exists();
        assertThat(folder.resolve("data/backup_manifest")).exists();
        assertThat(again.exitStatus()).as(again.toString()).isEqualTo(4);
        assertThat(version.exitStatus()).as(version.toString()).isZero();
        assertThat(file.resolve("PG_VERSION")).hasContent(Integer.toString(PostgresVersion.NEWEST_SUPPORTED_MAJOR));
        try (ControlDatabase database = installation.controlDatabase()) {
            assertThat(history(database).subList(0, 2))
                    .allSatisfy(run -> assertThat(run.type()).isEqualTo("export"))
                    .allSatisfy(run -> assertThat(run.state()).isEqualTo(RunState.COMPLETED));
        }
        FileTree.delete(folder);
    }

    private record Answer(int exitStatus, String out, String err) {}

    private static Answer here(String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString()));
        all.addAll(List.of(arguments));
        var out = new StringWriter();
        var err = new StringWriter();
        int status = CommandLineOfNightshift.run(
                all.toArray(String[]::new), new PrintWriter(out, true), new PrintWriter(err, true), Map.of());
        return new Answer(status, out.toString(), err.toString());
    }

    private static String newestLabel() {
        Surroundings surroundings = installation.surroundings();
        var configuration = surroundings.configuration();
        List<StoredBackup> backups = new BackupCatalog(new ClusterStorages(
                                configuration.clusters(),
                                configuration.storages(),
                                surroundings.home().installation(),
                                surroundings.home().knownStorages(),
                                surroundings.clock())
                        .forReading("prod"))
                .backups("prod");
        return backups.get(backups.size() - 1).label().toString();
    }

    private static boolean controlServerRuns() {
        return Files.exists(new Home(installation.home()).controlDatabase().resolve("data/postmaster.pid"));
    }
}
