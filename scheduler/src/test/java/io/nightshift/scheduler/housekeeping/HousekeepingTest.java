package io.nightshift.scheduler.housekeeping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Two years of a daily job: old ones with steps, logs and findings, and what may not go. */
class HousekeepingTest {

    private static final Instant BEFORE = Instant.parse("2026-01-01T00:00:00Z");

    private static Installation installation;
    private static ControlDatabase database;
    private static JdbcClient sql;

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase()
                .with(new HousekeepingJobType())
                .write("jobs/tidy.yaml", "type: housekeeping\nsettings: {keep-runs: 90d}\n");
        database = installation.controlDatabase();
        sql = JdbcClient.create(database.pool());
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    @BeforeEach
    void fill() {
        sql.sql("TRUNCATE run, run_month, batch_job_instance CASCADE").update();
        sql.sql("""
                        INSERT INTO run (job, job_type, cluster, due, cause, actor, settings, state, report, requested_at, started_at, ended_at)
                        SELECT 'nightly', 'full-backup', 'chanuka', day, 'schedule', 'schedule', '{}',
                               CASE WHEN extract(day FROM day) = 7 THEN 'failed' ELSE 'completed' END,
                               '{"figures": [{"name": "bytes", "value": 100, "unit": "bytes"}]}', day, day,
                               day + extract(day FROM day) * interval '1 min'
                        FROM generate_series(timestamptz '2025-01-01 01:00:00Z', '2026-03-01 01:00:00Z', '1 day') day
                        """).update();
        sql.sql("INSERT INTO run_log SELECT id, 1, 0, 'line' FROM run").update();
        sql.sql("INSERT INTO attempt (run, number, node, token, job_execution) SELECT id, 1, 'node', 1, id FROM run")
                .update();
        for (String table : List.of(
                "INSERT INTO batch_job_instance SELECT id, 0, 'full-backup', id::text FROM run",
                "INSERT INTO batch_job_execution SELECT id, 0, id, due, due, ended_at, 'COMPLETED', '', '', ended_at FROM run",
                "INSERT INTO batch_job_execution_context SELECT id, '{}', NULL FROM run",
                "INSERT INTO batch_job_execution_params SELECT id, 'run', 'java.lang.Long', id::text, 'Y' FROM run",
                "INSERT INTO batch_step_execution (step_execution_id, version, step_name, job_execution_id, create_time)"
                        + " SELECT id, 0, 'step', id, due FROM run",
                "INSERT INTO batch_step_execution_context SELECT id, '{}', NULL FROM run")) {
            sql.sql(table).update();
        }
    }

    private static TransactionTemplate transaction() {
        return new TransactionTemplate(new JdbcTransactionManager(database.pool()));
    }

    private static OldRuns runs() {
        return new OldRuns(database.pool(), transaction());
    }

    private static long all(OldRows rows, Instant before) {
        long deleted = 0;
        for (long some = rows.deleteSome(before); some > 0; some = rows.deleteSome(before)) {
            deleted += some;
        }
        return deleted;
    }

    private static long number(String query) {
        return sql.sql(query).query(Long.class).single();
    }

    @Test
    void counts_what_it_deletes_into_the_months() {
        long counted = runs().count(BEFORE);

        long deleted = all(runs(), BEFORE);

        assertThat(deleted).isEqualTo(counted).isEqualTo(365);
        assertThat(number("SELECT count(*) FROM run")).isEqualTo(60);
        assertThat(number("SELECT count(*) FROM run_month")).isEqualTo(12);
        assertThat(number("SELECT sum(completed) FROM run_month")).isEqualTo(365 - 12);
        assertThat(number("SELECT sum(failed) FROM run_month")).isEqualTo(12);
        assertThat(number("SELECT sum(bytes) FROM run_month")).isEqualTo(36_500);
        assertThat(number("SELECT seconds_p50 FROM run_month WHERE month = '2025-03-01'"))
                .isEqualTo(16 * 60 + 30);
        assertThat(number("SELECT count(*) FROM attempt")).isEqualTo(60);
        assertThat(number("SELECT count(*) FROM run_log")).isEqualTo(60);
        assertThat(runs().deleteSome(BEFORE)).isZero();
    }

    @Test
    void keeps_the_last_success_and_the_last_failure_of_each_job() {
        sql.sql("DELETE FROM run_log").update();
        sql.sql("DELETE FROM attempt").update();
        sql.sql("DELETE FROM run WHERE requested_at > '2025-12-20'").update();

        all(runs(), BEFORE);

        assertThat(sql.sql("SELECT state || ' ' || due::date FROM run ORDER BY due")
                        .query(String.class)
                        .list())
                .containsExactly("failed 2025-12-07", "completed 2025-12-19");
    }

    @Test
    void keeps_what_an_open_finding_refers_to_and_forgets_resolved_ones() {
        sql.sql("""
                        INSERT INTO finding
                        SELECT 'nightly', 'chanuka', k, 'error', 's', 'd', NULL, state,
                               (SELECT min(id) FROM run) + first, (SELECT min(id) FROM run) + last
                        FROM (VALUES ('open', 'still', 3, 400), ('over', 'resolved', 4, 5), ('lately', 'resolved', 6, 420))
                             AS f (k, state, first, last)
                        """).update();
        long first = number("SELECT min(id) FROM run");

        all(runs(), BEFORE);

        assertThat(sql.sql("SELECT key FROM finding ORDER BY key")
                        .query(String.class)
                        .list())
                .containsExactly("lately", "open");
        assertThat(sql.sql("SELECT id FROM run WHERE ended_at < '2026-01-01' ORDER BY id")
                        .query(Long.class)
                        .list())
                .containsExactly(first + 3, first + 6);
    }

    @Test
    void counts_nothing_twice_when_it_dies_in_the_middle_and_begins_again() {
        OldRuns runs = runs();
        runs.deleteSome(BEFORE);
        transaction().execute(status -> {
            new OldRuns(database.pool(), transaction()).deleteSome(BEFORE);
            status.setRollbackOnly();
            return null;
        });

        long again = all(runs, BEFORE);

        assertThat(again).isEqualTo(365 - 31);
        assertThat(number("SELECT sum(completed + failed) FROM run_month")).isEqualTo(365);
        assertThat(number("SELECT (SELECT sum(completed + failed) FROM run_month) + (SELECT count(*) FROM run)"))
                .isEqualTo(425);
    }

    @Test
    void adds_to_a_month_what_could_not_go_before() {
        all(runs(), Instant.parse("2025-01-20T12:00:00Z"));

        all(runs(), BEFORE);

        assertThat(number("SELECT completed + failed FROM run_month WHERE month = '2025-01-01'"))
                .isEqualTo(31);
    }

    @Test
    void deletes_steps_of_spring_batch_and_not_those_of_a_run_that_goes_on() {
        long running = number("SELECT min(id) FROM run");
        sql.sql("UPDATE run SET state = 'running', ended_at = NULL WHERE id = :run")
                .param("run", running)
                .update();

        long deleted = all(new OldSteps(database.pool(), transaction()), BEFORE);

        assertThat(deleted).isEqualTo(364);
        for (String table : List.of(
                "batch_job_instance",
                "batch_job_execution",
                "batch_job_execution_context",
                "batch_job_execution_params",
                "batch_step_execution",
                "batch_step_execution_context")) {
            assertThat(number("SELECT count(*) FROM " + table)).as(table).isEqualTo(61);
        }
        assertThat(number("SELECT count(*) FROM batch_job_execution WHERE job_execution_id = " + running))
                .isEqualTo(1);
    }

    @Test
    void works_as_a_job_that_names_no_cluster() {
        try (Nightshift nightshift = installation.forOwnRuns(database)) {
            Run dry = work(nightshift, true);
            Run real = work(nightshift, false);

            assertThat(dry.state()).as(dry.reason()).isEqualTo(RunState.COMPLETED);
            assertThat(dry.report().figures()).extracting(Figure::name).contains("would delete runs");
            assertThat(real.state()).as(real.reason()).isEqualTo(RunState.COMPLETED);
            assertThat(real.cluster()).isEqualTo("control-database");
            assertThat(real.report().figures())
                    .extracting(Figure::name)
                    .containsExactly("deleted logs", "deleted executions", "deleted runs");
            assertThat(real.report().summary()).matches("deleted 423 runs, and older logs and steps");
        }
    }

    private static Run work(Nightshift nightshift, boolean dry) {
        var surroundings = installation.surroundings();
        RunId run = nightshift
                .requests()
                .launch(new ConfiguredJobs(surroundings.configuration(), surroundings.jobTypes())
                        .requests(new ConfiguredJobs.Wish("tidy", null, Map.of(), dry, null, "somebody"))
                        .get(0)
                        .onNode(nightshift.node()));
        nightshift.work(run);
        return Installation.run(database, run);
    }

    @Test
    void has_defaults_and_reads_all_keys() {
        HousekeepingSettings all = RecordBinder.fromMap(
                HousekeepingSettings.class, Map.of("keep-runs", "30d", "keep-steps", "20d", "keep-logs", "10d"));

        assertThat(HousekeepingSettings.defaults())
                .isEqualTo(new HousekeepingSettings(Duration.ofDays(400), Duration.ofDays(90), Duration.ofDays(30)));
        assertThat(all)
                .isEqualTo(new HousekeepingSettings(Duration.ofDays(30), Duration.ofDays(20), Duration.ofDays(10)));
        assertThatThrownBy(() -> new HousekeepingSettings(Duration.ofDays(1), Duration.ofDays(2), Duration.ZERO))
                .hasMessageContaining("keep-logs is shorter than 1d")
                .hasMessageContaining("keep-runs is shorter than keep-steps");
    }
}
