package io.nightshift.jobs.backup;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.ConfigurationFiles;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.ScheduleRules;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.infra.sample.ChanukaWorkload;
import io.nightshift.infra.sample.LoggedCommit;
import io.nightshift.infra.sample.WorkloadPlan;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FullBackupTest {

    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast"));
    private static final double SCALE = 0.2;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_backup_taken_while_users_write_holds_exactly_what_was_committed_before_its_end(int major) throws Exception {
        Path tablespace = TestPostgres.temporaryDirectory("tablespace-");
        try (TestCluster cluster = TestCluster.start(major, Map.of())) {
            createSample(cluster);
            createTablespace(cluster, tablespace);

            List<LoggedCommit> commits;
            try (ChanukaWorkload workload = ChanukaWorkload.start(
                    () -> cluster.postgres().connect("postgres"),
                    WorkloadPlan.everything().withCommitLog())) {
                var outcome = JobRun.of(TYPE, cluster, QUICK).attempt().completed();
                print(major, outcome.report().figures());
                workload.stop();
                commits = workload.commits();
            }
            BackupDocument document = onlyBackup(cluster);
            Storage storage = storage(cluster);
            var verification = new BackupVerifier(2).verify(storage, document, new Progress(), new Cancellation());
            Set<Long> restored;
            List<String> inTablespace;
            try (var copy = new ExtractedBackup(storage, document, cluster.postgres());
                    Connection connection = copy.server().connect("postgres")) {
                restored = new HashSet<>(longs(connection, "SELECT id FROM chanuka.commit_log"));
                inTablespace = texts(connection, "SELECT count(*) || ' ' || sum(i) FROM elsewhere");
            }

            assertThat(verification.damages()).isEmpty();
            Set<Long> before =
                    ids(commits.stream().filter(commit -> !document.endLsn().isBefore(commit.after())));
            Set<Long> after =
                    ids(commits.stream().filter(commit -> !commit.before().isBefore(document.endLsn())));
            assertThat(before).isNotEmpty();
            assertThat(after).isNotEmpty();
            assertThat(restored).containsAll(before).doesNotContainAnyElementsOf(after);
            assertThat(inTablespace).containsExactly("10000 50005000");
            assertThat(document.archives())
                    .extracting(BackupDocument.Archive::location)
                    .containsExactly(tablespace.toString(), "");
            assertThat(cluster.traces()).isEmpty();
        } finally {
            FileTree.delete(tablespace);
        }
    }

    @Test
    void a_job_of_a_yaml_file_ends_with_a_report_that_says_what_was_kept() throws Exception {
        try (TestCluster cluster = TestCluster.start(18, Map.of())) {
            BackupSettings settings = settingsOf("""
                    type: full-backup
                    cluster: chanuka
                    settings:
                      compression: zstd:5
                      compression-threads: 1
                      checkpoint: fast
                    """);

            var outcome = JobRun.of(TYPE, cluster, settings).attempt().completed();

            BackupDocument document = onlyBackup(cluster);
            var report = outcome.report();
            assertThat(outcome.steps())
                    .containsExactly("checkCluster", "streamBaseBackup", "verifyStoredBackup", "publishBackup");
            assertThat(report.exitStatus()).isZero();
            assertThat(report.summary())
                    .matches("backup \\d{8}T\\d{6}Z-full-[a-z0-9]{4}: [0-9.]+ MB stored in [0-9.]+ MB,"
                            + " read back and equal to the server's manifest");
            assertThat(report.figures())
                    .extracting(Figure::name)
                    .containsExactly(
                            "bytes",
                            "stored bytes",
                            "compression ratio",
                            "checkpoint waited for",
                            "streamed in",
                            "stream rate",
                            "files equal to the manifest",
                            "read back from local in",
                            "read back rate of local");
            assertThat(report.sections()).extracting(Section::title).containsExactly("backup", "archives");
            assertThat(((Section.Table) report.sections().get(0).data()).rows())
                    .contains(
                            List.of("label", document.label().toString()),
                            List.of("server", "PostgreSQL " + document.source().version()),
                            List.of("timeline", "1"),
                            List.of("WAL needed", document.startLsn() + " to " + document.endLsn() + ", included"),
                            List.of("compression", "zstd:5"));
        }
    }

    @Test
    void a_dry_run_reads_nothing_and_writes_nothing() throws Exception {
        try (TestCluster cluster = TestCluster.start(18, Map.of())) {
            var fresh = JobRun.dry(TYPE, cluster, QUICK).attempt().completed();
            List<String> afterFresh = cluster.files();
            JobRun.of(TYPE, cluster, QUICK).attempt().completed();
            List<String> before = cluster.files();

            var used = JobRun.dry(TYPE, cluster, QUICK).attempt().completed();

            assertThat(afterFresh).isEmpty();

            assertThat(fresh.report().exitStatus()).isEqualTo(6);
            assertThat(fresh.report().notEvaluated())
                    .singleElement()
                    .asString()
                    .contains("storage local", "does not exist");
            assertThat(cluster.files()).isEqualTo(before);
            assertThat(used.report().exitStatus()).isZero();
            assertThat(used.report().summary())
                    .isEqualTo("a full backup of cluster chanuka is possible; nothing was read or written");
            assertThat(cluster.traces()).isEmpty();
        }
    }

    @Test
    void every_required_storage_gets_the_backup_and_is_read_back() {
        try (TestCluster server = TestCluster.start(18, Map.of());
                TestCluster cluster = server.withStorages("far", "near")) {

            var outcome = JobRun.of(TYPE, cluster, QUICK).attempt().completed();

            assertThat(cluster.backups())
                    .singleElement()
                    .satisfies(backup -> assertThat(backup.storages(StoredBackup.State.OK))
                            .containsExactlyInAnyOrder("far", "near"));
            assertThat(outcome.report().figures())
                    .extracting(Figure::name)
                    .contains("read back from far in", "read back from near in");
        }
    }

    private BackupSettings settingsOf(String job) throws IOException {
        Path configuration = directory.resolve("config");
        for (var file : Map.of(
                        "storages/local.yaml", "type: directory\npath: /srv/backups\n",
                        "clusters/chanuka.yaml",
                                "nodes: [127.0.0.1]\nusername: nightshift\nstorages: {local: required}\n",
                        "jobs/nightly.yaml", job)
                .entrySet()) {
            Path path = configuration.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
        var files = new ConfigurationFiles(configuration, directory, null, Map.of());
        return (BackupSettings) files.load(List.of(TYPE), ScheduleRules.NONE)
                .jobs()
                .get("nightly")
                .settings();
    }

    private static void createSample(TestCluster cluster) throws SQLException {
        try (Connection connection = cluster.postgres().connect("postgres")) {
            new ChanukaSample().create(connection, SCALE, new Progress());
        }
    }

    private static void createTablespace(TestCluster cluster, Path location) {
        ServerUser.of(cluster.postgres().dataDirectory()).own(location);
        cluster.postgres()
                .execute(
                        "postgres",
                        "CREATE TABLESPACE elsewhere LOCATION '" + location + "'",
                        "CREATE TABLE elsewhere TABLESPACE elsewhere AS SELECT i FROM generate_series(1, 10000) i");
    }

    private static BackupDocument onlyBackup(TestCluster cluster) {
        assertThat(cluster.backups()).hasSize(1);
        return cluster.backups().get(0).document().orElseThrow();
    }

    private static Storage storage(TestCluster cluster) {
        return cluster.clusterStorages().forReading(TestCluster.NAME).get(0);
    }

    private static Set<Long> ids(Stream<LoggedCommit> commits) {
        return commits.map(LoggedCommit::id).collect(toSet());
    }

    private static List<Long> longs(Connection connection, String sql) throws SQLException {
        return texts(connection, sql).stream().map(Long::valueOf).toList();
    }

    private static List<String> texts(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }

    /** For the reader of the build; what a busy machine measures is no test. */
    private static void print(int major, List<Figure> figures) {
        figures.forEach(figure -> System.out.println("full-backup of PostgreSQL " + major + ": " + figure.name() + " "
                + figure.value() + " " + figure.unit()));
    }
}
