package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares the restore of a full backup with what tar and zstd do with its archive. No test, and not run by the build:
 * {@code .ci/bench/restore} starts it.
 *
 * <p>The server is gone when the rounds begin; what is measured runs in a process with -Xmx300m, {@link RestoreContest}.
 */
class RestoreBench {

    private static final String ROUNDS = System.getProperty("bench.rounds", "5");

    @ParameterizedTest
    @ValueSource(strings = {"pgbench", "chanuka"})
    void restore_against_tar_and_zstd(String data) throws Exception {
        if (!System.getProperty("bench.data", data).equals(data)) {
            return;
        }
        try (TestCluster cluster = TestCluster.start(18, Map.of("max_wal_size", "4GB"))) {
            FullBackupBench.create(cluster, data);
            cluster.postgres().execute("postgres", "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT");
            JobRun.of(
                            new FullBackupJobType(),
                            cluster,
                            RecordBinder.fromMap(BackupSettings.class, Map.of("checkpoint", "fast")))
                    .attempt()
                    .completed();
            String[] coordinates = cluster.coordinates();
            cluster.postgres().stop();

            Process contest = new ProcessBuilder(List.of(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx300m",
                            "-Duser.timezone=UTC",
                            "-Dbuild.directory=" + System.getProperty("build.directory"),
                            "-cp",
                            System.getProperty("java.class.path"),
                            RestoreContest.class.getName(),
                            data,
                            ROUNDS,
                            coordinates[0],
                            coordinates[1],
                            coordinates[2],
                            coordinates[3]))
                    .redirectErrorStream(true)
                    .start();
            try (BufferedReader lines = contest.inputReader(StandardCharsets.UTF_8)) {
                lines.lines().forEach(System.out::println);
            }
            assertThat(contest.waitFor()).isZero();
        }
    }
}
