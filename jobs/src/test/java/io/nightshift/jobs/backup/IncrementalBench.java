package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.jobs.TestCluster;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Compares incremental backups and the restore of a chain with pg_basebackup and pg_combinebackup. No test, and not run by
 * the build: {@code .ci/bench/incremental} starts it. What is measured runs in a process with -Xmx300m,
 * {@link IncrementalContest}.
 */
class IncrementalBench {

    @Test
    void incremental_backups_and_chains_against_postgresqls_own() throws Exception {
        try (TestCluster cluster = TestCluster.start(18, Map.of("max_wal_size", "4GB", "summarize_wal", "on"))) {
            FullBackupBench.create(cluster, "pgbench");
            cluster.postgres().execute("postgres", "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT");
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx300m",
                    "-Duser.timezone=UTC",
                    "-Dbuild.directory=" + System.getProperty("build.directory"),
                    "-cp",
                    System.getProperty("java.class.path"),
                    IncrementalContest.class.getName(),
                    System.getProperty("bench.rounds", "5"),
                    System.getProperty("bench.tools", "/usr/lib/postgresql/18/bin")));
            command.addAll(List.of(cluster.coordinates()));
            Process contest =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try (BufferedReader lines = contest.inputReader(StandardCharsets.UTF_8)) {
                lines.lines().forEach(System.out::println);
            }
            assertThat(contest.waitFor()).isZero();
        }
    }
}
