package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ClusterSetupTest {

    private static final BackupSettings QUICK =
            RecordBinder.fromMap(BackupSettings.class, Map.of("compression", "zstd:1", "checkpoint", "fast"));

    static List<Integer> majors() {
        return PostgresVersions.underTest();
    }

    @ParameterizedTest
    @MethodSource("majors")
    void its_statements_make_a_role_that_takes_a_backup_and_lacks_nothing(int major) {
        try (TestCluster server = TestCluster.start(major, Map.of())) {
            var setup = new ClusterSetup("night \"shift\"", "postgres", false);
            server.postgres().execute("postgres", setup.sql().toArray(String[]::new));
            server.postgres().execute("postgres", "ALTER ROLE \"night \"\"shift\"\"\" PASSWORD 'chosen'");

            var outcome = JobRun.of(new FullBackupJobType(), server.as("night \"shift\"", "chosen"), QUICK)
                    .attempt()
                    .completed();

            assertThat(server.backups()).hasSize(1);
            assertThat(outcome.report().findings())
                    .extracting(Finding::key)
                    .doesNotContain("backup/source/hidden-settings");
        }
    }

    @Test
    void its_hba_lines_ask_for_encryption_where_the_cluster_does() {
        assertThat(new ClusterSetup("nightshift", "postgres", true).hba())
                .containsExactly(
                        "hostssl replication \"nightshift\" ADDRESS/32 scram-sha-256",
                        "hostssl \"postgres\" \"nightshift\" ADDRESS/32 scram-sha-256");
    }
}
