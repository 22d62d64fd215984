package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Home;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The embedded control database is lost with its directory, rebuilt, lost again, and restored from its own backup. */
class LossDrillTest {

    private static final String CHANUKA = "chanuka";
    private static final String CONTROL = "control-database";

    private record Answer(int exitStatus, String out, String err) {

        JsonNode json() {
            return JsonMapper.shared().readTree(out);
        }
    }

    /** An operator's machine. */
    private record Place(Installation installation, TestPostgres managed) implements AutoCloseable {

        static Place make() {
            TestPostgres managed = TestPostgres.start(18, Map.of("summarize_wal", "on"));
            Installation installation = Installation.embedded()
                    .write("clusters/" + CHANUKA + ".yaml", """
                            nodes: ["127.0.0.1:%d"]
                            username: %s
                            password: "%s"
                            sslmode: disable
                            storages: {local: required}
                            """.formatted(
                                    managed.port(), managed.username(), managed.password()))
                    .write("clusters/" + CONTROL + ".yaml", "storages: {local: required}\n")
                    .write("jobs/nightly.yaml", """
                            type: full-backup
                            cluster: chanuka
                            settings: {checkpoint: fast}
                            """)
                    .write("jobs/expiry.yaml", "type: retention\ncluster: chanuka\n")
                    .write("jobs/hourly.yaml", """
                            type: incremental-backup
                            cluster: chanuka
                            settings: {backup: {checkpoint: fast}}
                            """)
                    .write("jobs/control.yaml", """
                            type: full-backup
                            cluster: control-database
                            settings: {checkpoint: fast}
                            """);
            var place = new Place(installation, managed);
            place.makeAnother();
            return place;
        }

        Answer nightshift(String... arguments) {
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            String[] all = Stream.concat(
                            Stream.of(
                                    "--home",
                                    installation.home().toString(),
                                    "--config",
                                    installation.configuration().toString()),
                            Stream.of(arguments))
                    .toArray(String[]::new);
            int status =
                    CommandLineOfNightshift.run(all, new PrintWriter(out, true), new PrintWriter(err, true), Map.of());
            return new Answer(status, out.toString(), err.toString());
        }

        Worker worker() {
            Configuration files = installation.surroundings().configuration();
            ControlDatabase database = installation.controlDatabase();
            Configuration configuration = database.in(files);
            return new Worker(
                    this,
                    database,
                    configuration,
                    Nightshift.forOwnRuns(installation.surroundings(), configuration, database));
        }

        Path storage() {
            return installation.home().resolve("storage");
        }

        List<StoredBackup> backups(String cluster) {
            return new BackupCatalog(List.of(new DirectoryStorage("local", storage()))).backups(cluster);
        }

        Path control() {
            return new Home(installation.home()).controlDatabase();
        }

        void lose() throws IOException {
            FileTree.delete(control());
        }

        /** As the next command would, which takes longer. */
        void makeAnother() {
            TestPostgres.initialised(control());
        }

        @Override
        public void close() {
            installation.close();
            managed.close();
        }
    }

    /** A process that works runs, one after the other. */
    private record Worker(Place place, ControlDatabase database, Configuration configuration, Nightshift nightshift)
            implements AutoCloseable {

        Run run(String job, boolean dryRun) {
            var jobs = new ConfiguredJobs(
                    configuration, place.installation().surroundings().jobTypes());
            RunId run = nightshift
                    .requests()
                    .launch(jobs.requests(wish(job, dryRun)).get(0).onNode(nightshift.node()));
            nightshift.work(run);
            Run ended = Installation.run(database, run);
            assertThat(ended.state()).as(String.valueOf(ended.reason())).isEqualTo(RunState.COMPLETED);
            return ended;
        }

        @Override
        public void close() {
            nightshift.close();
            database.close();
        }
    }

    private static ConfiguredJobs.Wish wish(String job, boolean dryRun) {
        return new ConfiguredJobs.Wish(job, null, Map.of(), dryRun, null, "somebody");
    }

    /** As the storage holds them after some nights. */
    private static void proofAndGap(Place place, BackupPaths paths, BackupLabel label) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        Storage local = new DirectoryStorage("local", place.storage());
        new ProofNote(
                        ProofNote.FORMAT_VERSION,
                        label,
                        new RunId(900),
                        now,
                        1,
                        12.5,
                        Lsn.parse("0/5000000"),
                        null,
                        null,
                        null,
                        42,
                        81,
                        0,
                        0,
                        true,
                        List.of(),
                        0,
                        List.of())
                .write(local, paths);
        new WalArchive(new StorageSet(List.of(local)), paths, 16 << 20)
                .record(new WalGap(
                        new Timeline(1), Lsn.parse("7/1000000"), Lsn.parse("7/3000000"), "it was removed", now, true));
    }

    private static String section(Run run, String title) {
        JobReport report = run.report();
        return report.sections().stream()
                .filter(section -> section.title().equals(title))
                .map(Section::data)
                .map(Object::toString)
                .findFirst()
                .orElseThrow();
    }

    private static List<String> jobs(Answer history) {
        return history.json()
                .path("runs")
                .valueStream()
                .map(run -> run.path("run").asLong() + " " + run.path("job").asString() + " by "
                        + run.path("actor").asString())
                .toList();
    }

    private static List<String> states(Answer history) {
        return history.json()
                .path("runs")
                .valueStream()
                .map(run -> run.path("run").asLong() + " " + run.path("state").asString())
                .toList();
    }

    @Test
    void a_lost_control_database_costs_nothing_but_the_history_and_its_own_backup_brings_that_back() throws Exception {
        try (Place place = Place.make()) {
            Run full;
            Run retention;
            Run control;
            BackupLabel label;
            try (Worker worker = place.worker()) {
                full = worker.run("nightly", false);
                label = place.backups(CHANUKA).get(0).label();
                proofAndGap(place, place.backups(CHANUKA).get(0).paths(), label);
                place.nightshift("pin", label.toString(), "--for", "90d", "--reason", "audit");
                retention = worker.run("expiry", true);
                control = worker.run("control", false);
            }
            Answer listed = place.nightshift("backups", "--output", "json");

            // lost, and rebuilt from the storage
            place.lose();
            Answer stillListed = place.nightshift("backups", "--output", "json");
            place.makeAnother();
            Answer rebuilt = place.nightshift("catalog", "rebuild", "--output", "json");
            Answer again;
            Answer history;
            Run decided;
            Run incremental;
            try (Worker worker = place.worker()) {
                again = place.nightshift("catalog", "rebuild");
                history = place.nightshift("history", "--output", "json");
                decided = worker.run("expiry", true);
                incremental = worker.run("hourly", false);
            }

            assertThat(stillListed.out()).isEqualTo(listed.out()).contains(label.toString(), "\"pinned\" : true");
            assertThat(rebuilt.exitStatus()).as(rebuilt.toString()).isZero();
            assertThat(rebuilt.json().at("/clusters/0").toString())
                    .isEqualTo("{\"cluster\":\"chanuka\",\"backups\":1,\"proofs\":1,\"pins\":1,\"gaps\":1,"
                            + "\"runsPutBack\":3,\"storages\":[\"local\"],\"unreadable\":[],\"unreachable\":[]}");
            assertThat(again.out()).containsPattern("chanuka +1 +1 +1 +1 +0 +local");
            assertThat(jobs(history))
                    .containsExactlyInAnyOrder(
                            full.id() + " nightly by catalog rebuild",
                            "900 restore-test by catalog rebuild",
                            "901 wal-archive by catalog rebuild",
                            control.id() + " control by catalog rebuild");
            assertThat(section(decided, "backups")).isEqualTo(section(retention, "backups"));
            assertThat(incremental.id()).as("numbers go on").isGreaterThan(901);
            assertThat(place.backups(CHANUKA).get(1).document().orElseThrow().parent())
                    .isEqualTo(label);

            // lost again, and restored from its own backup
            place.lose();
            Answer restored = place.nightshift(
                    "restore",
                    place.backups(CONTROL).get(0).label().toString(),
                    "--to",
                    place.control().resolve("data").toString(),
                    "--as-replacement");
            Answer whole = place.nightshift("history", "--output", "json");
            Answer opened = place.nightshift("catalog", "rebuild");
            Answer closed = place.nightshift("history", "--output", "json");

            assertThat(restored.exitStatus()).as(restored.toString()).isZero();
            assertThat(restored.err()).doesNotContain("not entered");
            assertThat(jobs(whole)).hasSize(4).element(0).asString().contains(" restore by ");
            assertThat(jobs(whole))
                    .contains(
                            full.id() + " nightly by somebody",
                            retention.id() + " expiry by somebody",
                            control.id() + " control by somebody");
            assertThat(opened.exitStatus()).as(opened.toString()).isZero();
            assertThat(states(closed))
                    .contains(control.id() + " stopped")
                    .noneMatch(state -> state.endsWith("running") || state.endsWith("queued"));
            assertThat(jobs(closed))
                    .as("the backup that was restored")
                    .anyMatch(run -> run.endsWith("control by catalog rebuild"));
        }
    }
}
