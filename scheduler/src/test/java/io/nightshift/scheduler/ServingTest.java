package io.nightshift.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.launch.ScheduleClock;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A node that serves, on a control database of its own that may be killed. */
class ServingTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);

    private static TestPostgres postgres;
    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;

    @BeforeAll
    static void serve() {
        Rehearsal.write("ticks", run -> {}, run -> run.summary("tick"));
        postgres = TestPostgres.start(PostgresVersion.NEWEST_SUPPORTED_MAJOR);
        installation = Installation.on(postgres.url("postgres"), postgres.username(), postgres.password())
                .write("jobs/ticks.yaml", """
                        type: rehearsal
                        cluster: stage
                        schedule: {cron: "*/2 * * * * ?"}
                        settings: {script: ticks}
                        """);
        database = installation.controlDatabase();
        nightshift = installation.serving(database);
    }

    @AfterAll
    static void close() {
        nightshift.close();
        List<String> left = Installation.sql(database)
                .sql("SELECT name FROM node UNION ALL SELECT name FROM lease")
                .query(String.class)
                .list();
        database.close();
        postgres.close();
        installation.close();
        assertThat(left).isEmpty();
    }

    private static List<Run> ticks() {
        return new RunHistory(database.pool()).runs(RunFilter.newest(1_000).ofJob("ticks"));
    }

    private static Stream<Instant> due(List<Run> runs) {
        return runs.stream().map(Run::due).map(Objects::requireNonNull).sorted();
    }

    private static long completed() {
        return ticks().stream().filter(run -> run.state() == RunState.COMPLETED).count();
    }

    @Test
    void turns_every_due_time_into_exactly_one_run_even_if_quartz_loses_its_triggers() {
        await().atMost(LIMIT).until(() -> completed() >= 2);
        Installation.sql(database)
                .sql("DELETE FROM qrtz_simple_triggers WHERE sched_name = 'clock'")
                .update();
        Installation.sql(database)
                .sql("DELETE FROM qrtz_triggers WHERE sched_name = 'clock'")
                .update();
        long before = completed();

        nightshift.part(ScheduleClock.class).accountForAll();

        await().atMost(LIMIT).until(() -> completed() >= before + 2);
        List<Instant> due = due(ticks()).toList();
        assertThat(due).doesNotHaveDuplicates();
        List<Instant> expected = Stream.iterate(due.get(0), time -> time.plusSeconds(2))
                .limit(due.size())
                .toList();
        assertThat(due).isEqualTo(expected);
        assertThat(ticks())
                .as(ticks().stream()
                        .map(run -> run.state() + ": " + run.reason())
                        .toList()
                        .toString())
                .extracting(Run::state)
                .isSubsetOf(RunState.COMPLETED, RunState.QUEUED, RunState.RUNNING, RunState.SKIPPED, RunState.MISSED);
    }

    @Test
    void carries_a_step_through_a_restart_and_a_crash_of_the_control_database() throws Exception {
        CountDownLatch working = new CountDownLatch(1);
        CountDownLatch databaseIsBack = new CountDownLatch(1);
        Rehearsal.write(
                "long",
                run -> {
                    working.countDown();
                    databaseIsBack.await();
                    run.measured(new Figure("survived", 2, "outages"));
                },
                run -> run.summary("survived"));
        RunId id = nightshift.requests().launch(Installation.rehearsal("long"));
        working.await();

        postgres.stop();
        postgres.restart();
        postgres.kill();
        ExecutorService starter = Executors.newSingleThreadExecutor();
        databaseIsBack.countDown();
        Future<?> started = starter.submit(() -> postgres.restart());

        started.get();
        starter.shutdown();
        await().atMost(LIMIT)
                .ignoreExceptions()
                .until(() -> Installation.run(database, id).state().hasEnded());
        Run run = Installation.run(database, id);
        assertThat(run.state()).as(run.reason()).isEqualTo(RunState.COMPLETED);
        assertThat(run.report().summary()).isEqualTo("survived");
        assertThat(run.report().figures()).hasSize(1);
        assertThat(run.attempts()).hasSize(1);
    }

    /** Quartz keeps a trigger in two tables; with one part of it alone it would find no other trigger any more. */
    @Test
    void keeps_no_half_of_what_it_hands_over_while_the_control_database_goes_away() {
        Installation.sql(database).sql("CREATE SEQUENCE refused").update();
        Installation.sql(database)
                .sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$BEGIN PERFORM nextval('refused'); RAISE EXCEPTION 'half-way'; END$$")
                .update();
        Installation.sql(database)
                .sql("CREATE TRIGGER refuse BEFORE INSERT ON qrtz_simple_triggers FOR EACH ROW"
                        + " WHEN (new.sched_name = 'work') EXECUTE FUNCTION refuse()")
                .update();
        Rehearsal.write("half", run -> {}, run -> run.summary("whole"));
        RunId id = nightshift.requests().launch(Installation.rehearsal("half"));
        await().atMost(LIMIT)
                .until(() -> Installation.sql(database)
                        .sql("SELECT is_called FROM refused")
                        .query(Boolean.class)
                        .single());

        assertThat(Installation.sql(database)
                        .sql("SELECT trigger_name FROM qrtz_triggers t WHERE sched_name = 'work' AND NOT EXISTS ("
                                + "SELECT FROM qrtz_simple_triggers s WHERE s.sched_name = t.sched_name"
                                + " AND s.trigger_name = t.trigger_name)")
                        .query(String.class)
                        .list())
                .isEmpty();
        Installation.sql(database)
                .sql("DROP TRIGGER refuse ON qrtz_simple_triggers")
                .update();

        await().atMost(LIMIT).until(() -> Installation.run(database, id).state().hasEnded());
        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.COMPLETED);
    }

    @Test
    void works_what_a_dead_process_left_behind() {
        Rehearsal.write("orphan", run -> {}, run -> run.summary("adopted"));
        Installation.sql(database)
                .sql(
                        "INSERT INTO node (name, host, pid, home, serves) SELECT 'dead', host, 1, home, false FROM node LIMIT 1")
                .update();
        RunId id = nightshift.requests().launch(Installation.rehearsal("orphan").onNode("dead"));

        await().atMost(LIMIT).until(() -> Installation.run(database, id).state().hasEnded());

        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.COMPLETED);
        await().atMost(LIMIT)
                .until(() -> Installation.sql(database)
                        .sql("SELECT name FROM node WHERE name = 'dead'")
                        .query(String.class)
                        .list()
                        .isEmpty());
    }
}
