package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.ConfigurationFiles;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.ScheduleRules;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Section;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullBackupTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 2, "checkpoint", "fast"));

    @TempDir
    private Path directory;

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
                            "waited for the server",
                            "waited for compression",
                            "waited for the storage",
                            "files equal to the manifest",
                            "read back from local in",
                            "read back rate of local");
            assertThat(report.sections())
                    .extracting(Section::title)
                    .containsExactly("what limited the stream", "backup", "archives");
            assertThat(((Section.Table) report.sections().get(1).data()).rows())
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
            cluster.awaitNoTraces();
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

    private static BackupDocument onlyBackup(TestCluster cluster) {
        assertThat(cluster.backups()).hasSize(1);
        return cluster.backups().get(0).document().orElseThrow();
    }
}
