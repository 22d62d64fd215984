package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a backup says of its source, for a role that may do nothing but replicate, and with the grants that it is told. */
class SourceSettingsTest {

    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class,
            Map.of("compression", "zstd:1", "checkpoint", "fast", "labels", Map.of("ticket", "OPS-7")));

    static List<Integer> majors() {
        return PostgresVersions.underTest();
    }

    @ParameterizedTest
    @MethodSource("majors")
    void keeps_what_the_role_may_see_without_secrets_and_tells_which_grants_it_lacks(int major) {
        try (TestCluster server = TestCluster.start(
                major,
                Map.of(
                        "work_mem",
                        "7MB",
                        "primary_conninfo",
                        "host=db0 password=hunter2 user=x",
                        "ssl_passphrase_command",
                        "echo hunter2"))) {
            server.postgres().execute("postgres", "CREATE ROLE backup LOGIN REPLICATION PASSWORD 'secret'");
            TestCluster cluster = server.as("backup", "secret");

            JobReport blind = JobRun.of(new FullBackupJobType(), cluster, QUICK)
                    .attempt()
                    .completed()
                    .report();
            server.postgres().execute("postgres", hidden(blind).remedy());
            JobReport seeing = JobRun.of(new FullBackupJobType(), cluster, QUICK)
                    .attempt()
                    .completed()
                    .report();

            assertThat(hidden(blind).severity()).isEqualTo(Severity.INFO);
            assertThat(blind.exitStatus()).isZero();
            assertThat(seeing.findings()).extracting(Finding::key).doesNotContain("backup/source/hidden-settings");
            BackupDocument document =
                    only(cluster, source -> !source.fileSettings().isEmpty());
            assertThat(document.source().settings()).containsEntry("work_mem", "7MB");
            assertThat(document.source().fileSettings())
                    .anySatisfy(setting -> assertThat(setting.name()).isEqualTo("max_connections"));
            assertThat(document.source().hba()).isNotEmpty().allMatch(line -> line.matches("(local|host).*"));
            assertThat(document.source().inRecovery()).isFalse();
            assertThat(document.labels()).isEqualTo(Map.of("ticket", "OPS-7"));
            JobRun.of(new FullBackupJobType(), server, QUICK).attempt().completed();
            BackupDocument ofSuperuser =
                    only(cluster, source -> source.settings().containsKey("primary_conninfo"));
            assertThat(ofSuperuser.source().settings())
                    .containsEntry("primary_conninfo", "host=db0 password=******** user=x")
                    .containsEntry("ssl_passphrase_command", "********");
        }
    }

    /** Not by label: backups of one second have no order. */
    private static BackupDocument only(TestCluster cluster, Predicate<BackupDocument.Source> wanted) {
        List<BackupDocument> found = cluster.backups().stream()
                .map(backup -> backup.document().orElseThrow())
                .filter(document -> wanted.test(document.source()))
                .toList();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static Finding hidden(JobReport report) {
        return report.findings().stream()
                .filter(finding -> finding.key().equals("backup/source/hidden-settings"))
                .findFirst()
                .orElseThrow();
    }
}
