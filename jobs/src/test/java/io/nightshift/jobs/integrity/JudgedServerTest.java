package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.ReplicatedCluster;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class JudgedServerTest {

    private static ReplicatedCluster nodes;

    @BeforeAll
    static void start() {
        nodes = ReplicatedCluster.start(15);
    }

    @AfterAll
    static void stop() {
        nodes.close();
    }

    private static List<List<String>> looks(JobReport report) {
        return report.sections().stream()
                .filter(section -> section.title().equals("looks at servers"))
                .flatMap(section -> ((Section.Table) section.data()).rows().stream())
                .toList();
    }

    /** Behind a checkpoint: WAL would bring it back. */
    private static void loseOnDiskOfStandby(String index) {
        TestPostgres server = nodes.standbys().get(0);
        nodes.primary().execute("postgres", "CHECKPOINT");
        String written = nodes.primary().texts("SELECT pg_current_wal_lsn()").get(0);
        await().until(() -> server.number("SELECT (pg_last_wal_replay_lsn() >= '" + written + "')::int") == 1);
        server.execute("postgres", "CHECKPOINT");
        String file =
                server.texts("SELECT pg_relation_filepath('" + index + "')").get(0);
        server.stop();
        try {
            Files.delete(server.dataDirectory().resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.restart();
    }

    @Test
    void a_standby_is_taken_before_the_primary_and_what_is_unlogged_is_not_looked_for_there() {
        TestPostgres standby = nodes.standbys().get(0);
        nodes.primary()
                .execute(
                        "postgres",
                        "CREATE EXTENSION amcheck",
                        "CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)",
                        "CREATE TABLE kept (id int PRIMARY KEY)",
                        "INSERT INTO kept VALUES (7)",
                        "CREATE TABLE part (id int PRIMARY KEY, kept int REFERENCES kept)",
                        "SET session_replication_role = replica",
                        "INSERT INTO part VALUES (1, 1)");
        await().until(() -> standby.number("SELECT count(*) FROM pg_class WHERE relname = 'part_pkey'") == 1
                && standby.number("SELECT count(*) FROM part") == 1);
        try (TestCluster cluster = TestCluster.on(nodes.primary()).withStandby(standby.server())) {
            JobReport report = JobRun.of(
                            new IntegrityValidationJobType(), cluster, IntegrityValidationTest.settings(Map.of()))
                    .attempt()
                    .completed()
                    .report();

            assertThat(report.summary()).contains(" on standby 127.0.0.1:" + standby.port() + ", ");
            assertThat(report.findings().stream().map(Finding::key))
                    .containsExactly(
                            "integrity/unlogged/postgres.public.fleeting",
                            "integrity/foreign-key/postgres.public.part.part_kept_fkey");
            assertThat(report.notEvaluated()).isEmpty();
            assertThat(looks(report))
                    .hasSize(2)
                    .anySatisfy(row -> {
                        assertThat(row.get(0)).isEqualTo("127.0.0.1:" + standby.port());
                        assertThat(row.get(4)).isEqualTo("0");
                    })
                    .anySatisfy(row -> {
                        assertThat(row.get(0))
                                .isEqualTo("127.0.0.1:" + nodes.primary().port());
                        assertThat(row.get(3)).startsWith("20");
                        assertThat(row.get(4)).isNotEqualTo("0");
                    });

            loseOnDiskOfStandby("kept_pkey");
            JobReport damaged = JobRun.of(
                            new IntegrityValidationJobType(),
                            cluster,
                            IntegrityValidationTest.settings(Map.of(
                                    "where", "primary", "every-node-within", "1d", "except", List.of("foreign-key"))))
                    .attempt()
                    .completed()
                    .report();

            String node = "127.0.0.1:" + standby.port();
            assertThat(damaged.summary()).startsWith("nothing wrong in ");
            assertThat(damaged.findings())
                    .filteredOn(finding -> finding.severity() == Severity.CRITICAL)
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.key())
                                .isEqualTo("integrity/node/" + node + "/btree/postgres.public.kept_pkey");
                        assertThat(finding.detail()).endsWith(" (node " + node + ")");
                        assertThat(finding.remedy())
                                .endsWith("; nightshift bisect-damage 'integrity/node/" + node
                                        + "/btree/postgres.public.kept_pkey' says which backup is clean of it");
                    });
        }
    }

    @Test
    void what_recovery_of_a_standby_cuts_off_is_looked_at_again() {
        TestPostgres standby = nodes.standbys().get(1);
        // What the other one has said of its snapshots would keep vacuum from the rows, too.
        nodes.standbys()
                .forEach(each ->
                        each.restart(Map.of("hot_standby_feedback", "off", "max_standby_streaming_delay", "50ms")));
        nodes.awaitStreaming();
        TestPostgres primary = nodes.primary();
        primary.execute(
                "postgres",
                "CREATE TABLE released (at timestamptz)",
                "CREATE TABLE aged (id int PRIMARY KEY, filler text)",
                "INSERT INTO aged SELECT i, repeat('x', 500) FROM generate_series(1, 100) i",
                "INSERT INTO aged VALUES (-1)",
                "CREATE FUNCTION patient (id int) RETURNS boolean LANGUAGE plpgsql AS"
                        + " 'BEGIN WHILE NOT EXISTS (SELECT FROM public.released) LOOP PERFORM pg_sleep(0.02); END LOOP;"
                        + " RETURN id > 0; END'",
                "ALTER TABLE aged ADD CONSTRAINT is_patient CHECK (patient(id)) NOT VALID");
        await().until(() -> standby.number("SELECT count(*) FROM pg_constraint WHERE conname = 'is_patient'") == 1);
        try (TestCluster cluster = TestCluster.on(primary).withStandby(standby.server())) {
            CompletableFuture<JobRun.Outcome> outcome = JobRun.of(
                            new IntegrityValidationJobType(),
                            cluster,
                            IntegrityValidationTest.rows(Map.of(
                                    "where", "standby", "chunk-limit", "5m", "every-node-within", "0s", "parallel", 1)))
                    .begin();
            await().until(() ->
                    standby.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") > 0);

            String begun = standby.texts("SELECT query_start FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
                    .get(0);

            primary.execute("postgres", "DELETE FROM aged WHERE id % 2 = 0");
            primary.execute("postgres", "VACUUM aged");
            await().until(() -> standby.number("SELECT count(*) FROM pg_stat_activity"
                            + " WHERE query LIKE 'EXECUTE nightshift%' AND query_start > '" + begun + "'")
                    > 0);
            primary.execute("postgres", "INSERT INTO released VALUES (now())");

            JobReport report = outcome.join().completed().report();
            assertThat(report.findings())
                    .filteredOn(finding ->
                            finding.key().equals("integrity/check-constraint/postgres.public.aged.is_patient"))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail()).startsWith("id -1 at "));
            assertThat(report.notEvaluated()).isEmpty();
            await().until(() -> standby.number("SELECT sum(confl_snapshot) FROM pg_stat_database_conflicts") > 0);
        } finally {
            primary.execute("postgres", "DROP TABLE aged, released", "DROP FUNCTION patient");
        }
    }
}
