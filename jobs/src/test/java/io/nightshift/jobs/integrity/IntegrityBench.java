package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.chunk.StoredChunks;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/**
 * Compares foreign keys with VALIDATE CONSTRAINT, and pages and indexes with pg_amcheck, on the same server, each first in
 * every other round. No test, and not run by the build: {@code .ci/bench/integrity} starts it.
 */
class IntegrityBench {

    private static final int ROUNDS = Integer.getInteger("bench.rounds", 5);
    private static final long ROWS = Long.getLong("bench.rows", 10_000_000);
    private static final String ORPHAN = "integrity/foreign-key/bench.public.child.child_parent_fkey";

    /** As the migration makes them; the chunks lie in another server, as in a real installation. */
    private static final String[] CONTROL = {
        "CREATE TABLE run (id bigint PRIMARY KEY, job text, cluster text, state text)",
        "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, token bigint NOT NULL)",
        "CREATE TABLE chunk (run bigint, number int, place text NOT NULL, work text NOT NULL, outcome text,"
                + " PRIMARY KEY (run, number))",
        "CREATE TABLE covered_target (cluster text, target text, at timestamptz, PRIMARY KEY (cluster, target))",
        "INSERT INTO run SELECT i, 'test', 'chanuka', 'running' FROM generate_series(1, 1000) i",
        "INSERT INTO lease SELECT 'run/' || i, 'test-node', 1 FROM generate_series(1, 1000) i"
    };

    private static final List<String> ROWS_ONLY =
            List.of("heap", "btree", "open", "unique", "check-constraint", "not-null");
    private static final List<String> PAGES_ONLY =
            List.of("open", "unique", "foreign-key", "check-constraint", "not-null");

    private static final Map<String, Object> NO_SCHEMAS = Map.of("except", List.of("drift", "accepted", "history"));

    @Test
    void foreign_keys_against_validate_and_pages_against_pg_amcheck() throws Exception {
        try (TestCluster cluster = TestCluster.start(
                        18, Map.of("max_wal_size", "8GB", "autovacuum", "off", "shared_buffers", "256MB"));
                TestPostgres control = TestPostgres.start(18);
                HikariDataSource chunks = new HikariDataSource()) {
            control.execute("postgres", CONTROL);
            chunks.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + control.port() + "/postgres");
            chunks.setUsername(control.username());
            chunks.setPassword(control.password());
            TestPostgres postgres = cluster.postgres();
            postgres.execute("postgres", "CREATE EXTENSION amcheck", "CREATE DATABASE bench");
            postgres.execute(
                    "bench",
                    "CREATE EXTENSION amcheck",
                    "CREATE TABLE parent (id bigint PRIMARY KEY, name text)",
                    "INSERT INTO parent SELECT i, 'parent ' || i FROM generate_series(1, " + ROWS / 20 + ") i",
                    "CREATE TABLE child (id bigint PRIMARY KEY, parent bigint, filler text)",
                    "INSERT INTO child SELECT i, 1 + (hashint8(i) & 1073741823) % " + ROWS / 20
                            + ", repeat('x', 40) FROM generate_series(1, " + ROWS + ") i",
                    "ALTER TABLE child ADD CONSTRAINT child_parent_fkey FOREIGN KEY (parent) REFERENCES parent",
                    "VACUUM (FREEZE, ANALYZE)",
                    "CHECKPOINT");

            contest(
                    "foreign key of " + ROWS + " rows against NOT VALID and VALIDATE",
                    1.0,
                    () -> validation(cluster, chunks, ROWS_ONLY),
                    () -> postgres.execute(
                            "bench",
                            "ALTER TABLE child DROP CONSTRAINT child_parent_fkey",
                            "ALTER TABLE child ADD CONSTRAINT child_parent_fkey FOREIGN KEY (parent) REFERENCES parent"
                                    + " NOT VALID",
                            "ALTER TABLE child VALIDATE CONSTRAINT child_parent_fkey"));
            contest(
                    "heap and btree against pg_amcheck --heapallindexed -j 2",
                    1.05,
                    () -> validation(cluster, chunks, PAGES_ONLY),
                    () -> amcheck(postgres));

            postgres.execute(
                    "bench", "SET session_replication_role = replica", "INSERT INTO child VALUES (0, 0, 'nobody''s')");
            postgres.execute("bench", "ALTER TABLE child VALIDATE CONSTRAINT child_parent_fkey"); // sees nothing
            assertThat(validation(cluster, chunks, ROWS_ONLY).findings())
                    .extracting(Finding::key)
                    .contains(ORPHAN);
        }
    }

    private static JobReport validation(TestCluster cluster, HikariDataSource chunks, List<String> except) {
        return JobRun.of(
                        new IntegrityValidationJobType(),
                        cluster,
                        IntegrityValidationTest.settings(
                                Map.of("except", except, "where", "primary", "schema", NO_SCHEMAS)))
                .keepingChunks(new StoredChunks(chunks))
                .attempt()
                .completed()
                .report();
    }

    private static void amcheck(TestPostgres postgres) throws IOException, InterruptedException {
        var command = new ProcessBuilder(
                System.getProperty("bench.tools") + "/pg_amcheck",
                "--heapallindexed",
                "-j",
                "2",
                "-h",
                "127.0.0.1",
                "-p",
                Integer.toString(postgres.port()),
                "-U",
                postgres.username(),
                "-d",
                "bench",
                "-d",
                "postgres");
        command.environment().put("PGPASSWORD", postgres.password());
        Process process = command.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    @FunctionalInterface
    private interface Work {
        void run() throws Exception;
    }

    private static void contest(String what, double goal, Callable<?> ours, Work theirs) throws Exception {
        ours.call();
        theirs.run();
        List<Double> our = new ArrayList<>();
        List<Double> their = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            if (round % 2 == 0) {
                our.add(seconds(ours::call));
                their.add(seconds(theirs));
            } else {
                their.add(seconds(theirs));
                our.add(seconds(ours::call));
            }
        }
        System.out.printf(
                "FIGURE %s: %.2f s against %.2f s, %.2f (goal %.2f); all %s against %s%n",
                what, median(our), median(their), median(our) / median(their), goal, our, their);
    }

    private static double seconds(Work work) throws Exception {
        long begun = System.nanoTime();
        work.run();
        return Math.round((System.nanoTime() - begun) / 1e7) / 100.0;
    }

    private static double median(List<Double> seconds) {
        List<Double> sorted = seconds.stream().sorted().toList();
        return sorted.get(sorted.size() / 2);
    }
}
