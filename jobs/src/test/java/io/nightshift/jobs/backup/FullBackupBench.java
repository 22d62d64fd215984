package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Progress;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.jobs.TestCluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares the full backup with pg_basebackup and pg_verifybackup of PostgreSQL 18 on one server. No test, and not run
 * by the build: {@code .ci/bench/full-backup} starts it.
 *
 * <p>The server runs in this process's care; what is measured runs in another with -Xmx300m, {@link BackupContest}.
 */
class FullBackupBench {

    private static final Path TOOLS = Path.of(System.getProperty("bench.tools", "/usr/lib/postgresql/18/bin"));
    private static final String ROUNDS = System.getProperty("bench.rounds", "5");
    private static final int PGBENCH_SCALE = Integer.getInteger("bench.scale", 100);
    private static final List<String> JAVA_OPTIONS =
            List.of(System.getProperty("bench.java", "").trim().split("\\s+"));

    @ParameterizedTest
    @ValueSource(strings = {"pgbench", "chanuka"})
    void full_backup_against_pg_basebackup(String data) throws Exception {
        if (!System.getProperty("bench.data", data).equals(data)) {
            return;
        }
        try (TestCluster cluster = TestCluster.start(18, Map.of("max_wal_size", "4GB"))) {
            create(cluster, data);
            cluster.postgres().execute("postgres", "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT");

            int status = contest(cluster, data);

            assertThat(status).isZero();
        }
    }

    /** About 1.6 GB of pgbench, 0.6 GB of Chanuka, at scale 100. */
    static void create(TestCluster cluster, String data) throws SQLException {
        if (data.equals("chanuka")) {
            try (Connection connection = cluster.postgres().connect("postgres")) {
                new ChanukaSample().create(connection, PGBENCH_SCALE / 30.0, new Progress());
            }
            return;
        }
        // As pgbench -i -I dtGp makes them.
        cluster.postgres()
                .execute(
                        "postgres",
                        "CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88))",
                        "CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84))",
                        "CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84))",
                        "INSERT INTO pgbench_branches SELECT bid, 0, '' FROM generate_series(1, " + PGBENCH_SCALE
                                + ") bid",
                        "INSERT INTO pgbench_tellers SELECT tid, (tid - 1) / 10 + 1, 0, '' FROM generate_series(1, "
                                + 10 * PGBENCH_SCALE + ") tid",
                        "INSERT INTO pgbench_accounts SELECT aid, (aid - 1) / 100000 + 1, 0, ''"
                                + " FROM generate_series(1, " + 100_000 * PGBENCH_SCALE + ") aid",
                        "ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid)",
                        "ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid)",
                        "ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)");
    }

    private static int contest(TestCluster cluster, String data) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx300m"));
        JAVA_OPTIONS.stream().filter(option -> !option.isEmpty()).forEach(command::add);
        command.addAll(List.of(
                "-Duser.timezone=UTC",
                "-Dbuild.directory=" + System.getProperty("build.directory"),
                "-cp",
                System.getProperty("java.class.path"),
                BackupContest.class.getName(),
                data,
                TOOLS.toString(),
                ROUNDS));
        command.addAll(List.of(cluster.coordinates()));
        Process contest = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader lines = contest.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(line);
            }
        }
        return contest.waitFor();
    }
}
