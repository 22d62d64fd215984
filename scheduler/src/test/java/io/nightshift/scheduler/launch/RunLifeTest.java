package io.nightshift.scheduler.launch;

import static io.nightshift.scheduler.Installation.rehearsal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.run.Timings;
import io.nightshift.infra.server.Effort;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The life of runs of a process that works its own. */
class RunLifeTest {

    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
        nightshift = installation.forOwnRuns(database);
    }

    @AfterAll
    static void close() {
        THREADS.shutdownNow();
        nightshift.close();
        long nodes = Installation.sql(database)
                .sql("SELECT count(*) FROM node")
                .query(Long.class)
                .single();
        database.close();
        installation.close();
        assertThat(nodes).isZero();
    }

    private static RunId launch(String script) {
        return nightshift.requests().launch(rehearsal(script).onNode(nightshift.node()));
    }

    private static Run play(String script, Rehearsal.Act first, Rehearsal.Act second) {
        Rehearsal.write(script, first, second);
        RunId run = launch(script);
        nightshift.work(run);
        return Installation.run(database, run);
    }

    private static Run again(Run run) {
        RunId id = new RunId(run.id());
        nightshift.requests().restart(id, "somebody", nightshift.node());
        nightshift.work(id);
        return Installation.run(database, id);
    }

    private static Finding finding(String key, Severity severity) {
        return new Finding(key, severity, "subject of " + key, "detail", "remedy");
    }

    private static void nothing(RunContext run) {}

    @Test
    void is_worked_by_a_process_that_the_others_see() {
        assertThat(Installation.sql(database)
                        .sql("SELECT name FROM node")
                        .query(String.class)
                        .list())
                .contains(nightshift.node());
    }

    @Test
    void follows_a_finding_from_new_to_still_to_resolved_to_new() {
        Rehearsal.Act finds = run -> run.report(finding("a", Severity.ERROR));
        List<Run> nights = List.of(
                play("findings", finds, RunLifeTest::nothing),
                play("findings", finds, RunLifeTest::nothing),
                play("findings", RunLifeTest::nothing, RunLifeTest::nothing),
                play("findings", RunLifeTest::nothing, RunLifeTest::nothing),
                play("findings", finds, RunLifeTest::nothing));

        assertThat(nights.stream()
                        .map(night -> night.report().findings().stream()
                                .map(Finding::state)
                                .toList()))
                .containsExactly(
                        List.of(Finding.State.NEW),
                        List.of(Finding.State.STILL),
                        List.of(Finding.State.RESOLVED),
                        List.of(),
                        List.of(Finding.State.NEW));
        assertThat(nights.stream().map(Run::exitStatus)).containsExactly(3, 3, 0, 0, 3);
    }

    @Test
    void keeps_a_suppressed_finding_suppressed() {
        Rehearsal.Act finds = run -> run.report(finding("known", Severity.ERROR));
        Run first = play("suppressed", finds, RunLifeTest::nothing);
        Installation.sql(database)
                .sql("UPDATE finding SET state = 'suppressed' WHERE job = 'suppressed'")
                .update();

        Run second = play("suppressed", finds, RunLifeTest::nothing);
        Run third = play("suppressed", finds, RunLifeTest::nothing);

        assertThat(first.exitStatus()).isEqualTo(3);
        assertThat(List.of(second, third)).allSatisfy(run -> {
            assertThat(run.exitStatus()).isZero();
            assertThat(run.report().findings()).extracting(Finding::state).containsExactly(Finding.State.SUPPRESSED);
        });
    }

    @Test
    void a_finding_that_the_run_itself_withdraws_is_resolved_and_costs_nothing() {
        Run night = play(
                "withdrawn",
                run -> run.report(finding("a", Severity.ERROR)),
                run -> run.report(finding("a", Severity.ERROR).as(Finding.State.RESOLVED)));

        assertThat(night.report().findings()).extracting(Finding::state).containsExactly(Finding.State.RESOLVED);
        assertThat(night.exitStatus()).isZero();
    }

    @Test
    void resolves_nothing_of_what_it_could_not_look_for() {
        play(
                "hidden",
                run -> {
                    run.report(finding("a/1", Severity.WARNING));
                    run.report(finding("b/1", Severity.WARNING));
                },
                RunLifeTest::nothing);
        Run second = play(
                "hidden",
                run -> run.notEvaluated(new NotEvaluated("db1", "the node does not answer", List.of("a/"))),
                RunLifeTest::nothing);

        Run third = play("hidden", run -> run.report(finding("a/1", Severity.WARNING)), RunLifeTest::nothing);

        assertThat(second.report().findings())
                .extracting(Finding::key, Finding::state)
                .containsExactly(tuple("b/1", Finding.State.RESOLVED));
        assertThat(third.report().findings()).extracting(Finding::state).containsExactly(Finding.State.STILL);
    }

    @Test
    void resolves_nothing_when_it_failed_before_it_could_look() {
        play("unresolved", run -> run.report(finding("a", Severity.WARNING)), RunLifeTest::nothing);
        play(
                "unresolved",
                run -> {
                    throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "gone");
                },
                RunLifeTest::nothing);

        Run third = play("unresolved", run -> run.report(finding("a", Severity.WARNING)), RunLifeTest::nothing);

        assertThat(third.report().findings()).extracting(Finding::state).containsExactly(Finding.State.STILL);
    }

    @Test
    void keeps_every_kind_of_section_as_the_job_wrote_it_and_adds_where_the_time_went() {
        List<Section> sections = List.of(
                Section.text("words", "one\ntwo"),
                Section.table("rows", List.of("a", "b"), List.of(List.of("1", "2"))),
                new Section(
                        "points", new Section.Series("ms", List.of(new Section.Point("2026-11-22T01:00:00Z", 1.5)))));

        Run run = play("sections", context -> sections.forEach(context::section), RunLifeTest::nothing);

        assertThat(run.report().sections())
                .filteredOn(section -> !section.title().equals(Timings.TITLE))
                .isEqualTo(sections);
        assertThat(run.report().sections())
                .filteredOn(section -> section.title().equals(Timings.TITLE))
                .hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(FailureKind.class)
    void ends_with_the_state_reason_and_exit_status_of_its_failure(FailureKind kind) {
        Run run = play(
                "fails-" + kind,
                context -> {
                    context.notEvaluated("everything", "it failed before");
                    throw new NightshiftException(kind, "disk of db1 is 3 bytes too small", "add 3 bytes");
                },
                RunLifeTest::nothing);

        assertThat(run.state()).isEqualTo(kind == FailureKind.CANCELLED ? RunState.STOPPED : RunState.FAILED);
        assertThat(run.reason()).isEqualTo("disk of db1 is 3 bytes too small\nHINT: add 3 bytes");
        assertThat(run.exitStatus()).isEqualTo(kind.exitStatus());
        assertThat(run.attempts())
                .singleElement()
                .satisfies(a -> assertThat(a.reason()).isEqualTo(run.reason()));
    }

    @Test
    void says_of_a_bug_what_it_is_without_a_stack_trace() {
        Run run = play(
                "bug",
                context -> {
                    throw new IllegalStateException("no such luck");
                },
                RunLifeTest::nothing);

        assertThat(run.state()).isEqualTo(RunState.FAILED);
        assertThat(run.exitStatus()).isEqualTo(1);
        assertThat(run.reason())
                .contains("no such luck")
                .contains("HINT: ")
                .doesNotContain("\tat ")
                .hasLineCount(2);
    }

    @Test
    void ends_though_a_step_threw_an_error_of_the_virtual_machine() {
        Run run = play(
                "error",
                context -> {
                    throw new NoClassDefFoundError("io/lost/Class");
                },
                RunLifeTest::nothing);

        assertThat(run.state()).isEqualTo(RunState.FAILED);
        assertThat(run.reason()).contains("io/lost/Class");
    }

    @Test
    void ends_although_its_report_holds_what_postgres_cannot_store() {
        Run run = play("nul", context -> context.summary("a file named \u0000"), RunLifeTest::nothing);

        assertThat(run.state()).isEqualTo(RunState.FAILED);
        assertThat(run.reason()).startsWith("report of this run not stored: ").contains("HINT: ");
    }

    @Test
    void goes_on_at_the_step_that_failed_and_keeps_what_was_measured_before() {
        AtomicInteger firstActs = new AtomicInteger();
        AtomicBoolean healthy = new AtomicBoolean();
        Run failed = play(
                "restarted",
                run -> {
                    firstActs.incrementAndGet();
                    run.measured(new Figure("streamed", 17, "bytes"));
                    run.remember("label", "20261122T010000Z-full");
                },
                run -> {
                    if (!healthy.get()) {
                        throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "storage local is away");
                    }
                    run.summary("finished " + run.recall("label").orElse("nothing"));
                });

        healthy.set(true);
        Run completed = again(failed);

        assertThat(failed.state()).isEqualTo(RunState.FAILED);
        assertThat(completed.state()).isEqualTo(RunState.COMPLETED);
        assertThat(completed.exitStatus()).isZero();
        assertThat(firstActs).hasValue(1);
        assertThat(completed.report().summary()).isEqualTo("finished 20261122T010000Z-full");
        assertThat(completed.report().figures()).extracting(Figure::name).containsExactly("streamed");
        assertThat(completed.attempts()).extracting(Run.Attempt::outcome).containsExactly("failed", "completed");
        assertThat(completed.steps())
                .extracting(Run.StepRun::attempt, Run.StepRun::step, Run.StepRun::status)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(1, "firstAct", "completed"),
                        org.assertj.core.groups.Tuple.tuple(1, "secondAct", "failed"),
                        org.assertj.core.groups.Tuple.tuple(2, "secondAct", "completed"));
    }

    @Test
    void is_refused_a_restart_once_it_is_completed() {
        Run done = play("done", RunLifeTest::nothing, RunLifeTest::nothing);

        assertThatThrownBy(() -> again(done))
                .hasMessage("run " + done.id() + " is completed: only failed and stopped runs can be restarted");
    }

    @Test
    void is_stopped_by_its_time_limit_with_a_reason() {
        Rehearsal.write("slow", RunLifeTest::untilCancelled, RunLifeTest::nothing);
        RunId id = nightshift
                .requests()
                .launch(rehearsal("slow", "slow", Duration.ofMillis(300)).onNode(nightshift.node()));

        nightshift.work(id);

        Run run = Installation.run(database, id);
        assertThat(run.state()).isEqualTo(RunState.STOPPED);
        assertThat(run.exitStatus()).isEqualTo(7);
        assertThat(run.reason()).contains("time limit of");
    }

    @Test
    void is_stopped_when_somebody_asks() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        Rehearsal.write(
                "stoppable",
                run -> {
                    works.countDown();
                    untilCancelled(run);
                },
                RunLifeTest::nothing);
        RunId id = launch("stoppable");
        Future<?> worker = THREADS.submit(() -> nightshift.work(id));
        works.await();

        nightshift.requests().stop(id, "stopped by the night watch");

        worker.get();
        assertThat(Installation.run(database, id).reason()).isEqualTo("stopped by the night watch");
        assertThat(Installation.run(database, id).exitStatus()).isEqualTo(7);
    }

    @Test
    void lets_what_frees_a_blocked_step_see_the_run_on_the_thread_that_cancels() {
        CountDownLatch freed = new CountDownLatch(1);
        StringBuilder seen = new StringBuilder();
        Rehearsal.write(
                "blocked",
                run -> {
                    try (Cancellation.Registration freeing = run.cancellation().onCancel(() -> {
                        seen.append(run.id());
                        freed.countDown();
                    })) {
                        freed.await();
                        run.cancellation().check();
                        assertThat(freeing).isNotNull();
                    }
                },
                RunLifeTest::nothing);
        RunId id = nightshift
                .requests()
                .launch(rehearsal("blocked", "blocked", Duration.ofMillis(300)).onNode(nightshift.node()));

        nightshift.work(id);

        assertThat(seen).hasToString(id.toString());
        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.STOPPED);
    }

    private static void untilCancelled(RunContext run) {
        Cancellation cancellation = run.cancellation();
        await().atMost(Duration.ofMinutes(1)).until(cancellation::isCancelled);
        cancellation.check();
    }

    @Test
    void queues_what_it_asked_for_even_if_that_was_in_an_earlier_attempt() {
        AtomicBoolean healthy = new AtomicBoolean();
        Run failed = play("asks", run -> run.request(Rehearsal.NAME, "gap found"), run -> {
            if (!healthy.get()) {
                throw new NightshiftException(FailureKind.CONFIGURATION, "not yet");
            }
        });
        Installation.sql(database)
                .sql("UPDATE run SET state = 'refused', ended_at = clock_timestamp() WHERE cause = 'job'")
                .update();
        healthy.set(true);

        again(failed);

        List<Run> asked = new RunHistory(database.pool())
                .runs(RunFilter.newest(10).ofJob(Rehearsal.NAME).in(RunState.QUEUED));
        assertThat(asked)
                .singleElement()
                .satisfies(run -> assertThat(run.actor()).contains("gap found"));
    }

    @Test
    void changes_nothing_any_more_once_another_node_has_taken_it_over() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        CountDownLatch taken = new CountDownLatch(1);
        Rehearsal.write(
                "stolen",
                run -> {
                    works.countDown();
                    taken.await();
                },
                RunLifeTest::nothing);
        RunId id = launch("stolen");
        Future<Optional<Ledger.Outcome>> worker = THREADS.submit(() -> nightshift.work(id));
        works.await();
        Installation.sql(database)
                .sql("UPDATE lease SET owner = 'another', token = nextval('lease_token') WHERE name = :name")
                .param("name", "run/" + id)
                .update();
        Installation.sql(database)
                .sql("INSERT INTO node (name, host, pid, home, serves) VALUES ('another', 'far', 1, '/', true)")
                .update();

        taken.countDown();

        assertThatThrownBy(worker::get).rootCause().hasMessageContaining("is no longer held by " + nightshift.node());
        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.RUNNING);
        Installation.sql(database)
                .sql("DELETE FROM node WHERE name = 'another'")
                .update();
        Installation.sql(database)
                .sql("DELETE FROM lease WHERE owner = 'another'")
                .update();
        Installation.sql(database)
                .sql("UPDATE run SET state = 'failed', ended_at = clock_timestamp() WHERE id = :id")
                .param("id", id.number())
                .update();
    }

    @Test
    void hears_that_another_node_has_taken_it_over() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        Rehearsal.write(
                "usurped",
                run -> {
                    works.countDown();
                    untilCancelled(run);
                },
                RunLifeTest::nothing);
        RunId id = launch("usurped");
        Future<?> worker = THREADS.submit(() -> nightshift.work(id));
        works.await();

        Installation.sql(database)
                .sql("UPDATE lease SET owner = 'usurper', token = nextval('lease_token') WHERE name = :name")
                .param("name", "run/" + id)
                .update();

        assertThatThrownBy(worker::get).rootCause().hasMessageContaining("is no longer held");
        nightshift.closeLostRuns();
        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.FAILED);
    }

    @Test
    void goes_on_after_its_own_lease_was_left_behind_by_a_broken_connection() {
        Rehearsal.write("left-behind", RunLifeTest::nothing, RunLifeTest::nothing);
        RunId id = launch("left-behind");
        Installation.sql(database)
                .sql("INSERT INTO lease (name, owner, token) VALUES (:name, :owner, nextval('lease_token'))")
                .param("name", "run/" + id)
                .param("owner", nightshift.node())
                .update();

        nightshift.work(id);

        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.COMPLETED);
    }

    @Test
    void starts_although_its_process_died_between_instance_and_execution() {
        Rehearsal.write("half-launched", RunLifeTest::nothing, RunLifeTest::nothing);
        Run done = play("half-launched", RunLifeTest::nothing, RunLifeTest::nothing);
        RunId id = launch("half-launched");
        Installation.sql(database)
                .sql("""
                        INSERT INTO batch_job_instance (job_instance_id, version, job_name, job_key)
                        VALUES (nextval('batch_job_instance_seq'), 0, 'rehearsal', :key)
                        """)
                .param(
                        "key",
                        new org.springframework.batch.core.job.DefaultJobKeyGenerator()
                                .generateKey(new org.springframework.batch.core.job.parameters.JobParametersBuilder()
                                        .addLong("run", id.number(), true)
                                        .toJobParameters()))
                .update();

        nightshift.work(id);

        assertThat(done.state()).isEqualTo(RunState.COMPLETED);
        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.COMPLETED);
    }

    @Test
    void holds_no_control_connection_while_a_step_works() {
        AtomicInteger active = new AtomicInteger(-1);

        Run run = play(
                "frugal",
                context -> {
                    await().until(() -> database.pool().getHikariPoolMXBean().getActiveConnections() == 0);
                    active.set(0);
                },
                RunLifeTest::nothing);

        assertThat(run.state()).isEqualTo(RunState.COMPLETED);
        assertThat(active).hasValue(0);
    }

    @Test
    void is_worked_by_one_thread_at_a_time_whatever_starts_restarts_and_recovers_it() throws Exception {
        int rounds = Effort.of(3, 50);
        for (int round = 0; round < rounds; round++) {
            stampede("stampede-" + round, 16);
        }
    }

    private static void stampede(String script, int threads) throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger bodies = new AtomicInteger();
        AtomicBoolean fails = new AtomicBoolean(true);
        Rehearsal.write(script, RunLifeTest::nothing, run -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            bodies.incrementAndGet();
            java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
            inside.decrementAndGet();
            if (fails.get()) {
                throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "not this time");
            }
        });
        RunId id = launch(script);
        allAtOnce(threads, () -> nightshift.work(id));
        int startBodies = bodies.get();
        fails.set(false);
        AtomicInteger restarted = new AtomicInteger();
        allAtOnce(threads, () -> {
            try {
                nightshift.requests().restart(id, "somebody", nightshift.node());
                restarted.incrementAndGet();
            } catch (NightshiftException refused) {
                assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
            }
            nightshift.work(id);
            nightshift.closeLostRuns();
            return Optional.empty();
        });
        assertThat(startBodies).as("bodies of the start").isEqualTo(1);
        assertThat(restarted).hasValue(1);
        assertThat(most).as("bodies at once").hasValue(1);
        assertThat(bodies).as("bodies of start and restart").hasValue(2);
        assertThat(Installation.run(database, id).state()).isEqualTo(RunState.COMPLETED);
    }

    private static void allAtOnce(int threads, Callable<?> work) throws Exception {
        CountDownLatch start = new CountDownLatch(1);
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            all.add(THREADS.submit(() -> {
                start.await();
                return work.call();
            }));
        }
        start.countDown();
        for (Future<?> one : all) {
            one.get();
        }
    }
}
