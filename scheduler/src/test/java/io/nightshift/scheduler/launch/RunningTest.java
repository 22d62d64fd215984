package io.nightshift.scheduler.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.NightshiftParts;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.RunTerms;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How a node that serves carries out what it is asked for: in which order, how often, for how long. */
class RunningTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final int THREADS = 3;

    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;

    @BeforeAll
    static void serve() {
        installation = Installation.withOwnControlDatabase()
                .withHeavyRehearsals()
                .write("nightshift.yaml", "work-threads: " + THREADS + "\nstop-within: 1s\n")
                .write("jobs/hangs.yaml", """
                        type: rehearsal
                        cluster: stage
                        schedule: {every: 3s}
                        step-timeout: 1s
                        settings: {script: hangs}
                        """);
        Rehearsal.write("hangs", RunningTest::untilCancelled, RunningTest::nothing);
        database = installation.controlDatabase();
        nightshift = installation.serving(database);
    }

    @AfterAll
    static void close() {
        nightshift.close();
        database.close();
        installation.close();
    }

    private static void nothing(RunContext run) {}

    private static void untilCancelled(RunContext run) {
        await().atMost(LIMIT).until(run.cancellation()::isCancelled);
        run.cancellation().check();
    }

    private static LaunchRequest request(String script, int attempts, int priority, String... groups) {
        LaunchRequest request = Installation.rehearsal(script);
        return new LaunchRequest(
                request.job(),
                request.jobType(),
                // A cluster of its own, so that what is heavy waits only where a test wants it to.
                script,
                request.cause(),
                request.actor(),
                request.settings(),
                false,
                new RunTerms(
                        null,
                        null,
                        attempts,
                        Duration.ofMillis(300),
                        Duration.ofMillis(500),
                        priority,
                        List.of(groups),
                        false),
                null,
                null);
    }

    private static LaunchRequest on(String cluster, LaunchRequest request) {
        return new LaunchRequest(
                request.job(),
                request.jobType(),
                cluster,
                request.cause(),
                request.actor(),
                request.settings(),
                false,
                request.terms(),
                null,
                null);
    }

    private static Run run(RunId id) {
        return Installation.run(database, id);
    }

    private static Run ended(RunId id) {
        await().atMost(LIMIT).until(() -> run(id).state().hasEnded());
        return run(id);
    }

    private static void awaitWaiting(RunId id, String reason) {
        await().atMost(LIMIT)
                .until(() ->
                        Objects.requireNonNullElse(run(id).waitingFor(), "").contains(reason));
    }

    private static Rehearsal.Act failing(FailureKind kind, int times, AtomicInteger acts) {
        return run -> {
            if (acts.incrementAndGet() <= times) {
                throw new NightshiftException(kind, "not the " + acts + ". time");
            }
        };
    }

    @Test
    void tries_again_with_growing_pauses_what_may_pass() {
        AtomicInteger acts = new AtomicInteger();
        AtomicInteger firstActs = new AtomicInteger();
        Rehearsal.write(
                "recovers", run -> firstActs.incrementAndGet(), failing(FailureKind.STORAGE_UNAVAILABLE, 2, acts));

        Run run = ended(nightshift.requests().launch(request("recovers", 3, 5)));

        assertThat(run.state()).as(run.reason()).isEqualTo(RunState.COMPLETED);
        assertThat(run.attempts()).extracting(Run.Attempt::outcome).containsExactly("failed", "failed", "completed");
        assertThat(firstActs).as("times that the first step was done").hasValue(1);
        assertThat(pauseBefore(run, 1)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(pauseBefore(run, 2)).isGreaterThanOrEqualTo(Duration.ofMillis(500));
    }

    private static Duration pauseBefore(Run run, int attempt) {
        List<Run.Attempt> attempts = Objects.requireNonNull(run.attempts());
        return Duration.between(
                Objects.requireNonNull(attempts.get(attempt - 1).endedAt()),
                attempts.get(attempt).startedAt());
    }

    @Test
    void ends_as_failed_after_the_last_attempt_and_gets_as_many_again_when_somebody_restarts_it() {
        AtomicInteger acts = new AtomicInteger();
        Rehearsal.write("exhausted", failing(FailureKind.POSTGRES_UNAVAILABLE, 3, acts), RunningTest::nothing);
        RunId id = nightshift.requests().launch(request("exhausted", 2, 5));
        Run failed = ended(id);

        nightshift.requests().restart(id, "somebody", null);

        Run completed = ended(id);
        assertThat(failed.state()).isEqualTo(RunState.FAILED);
        assertThat(failed.reason()).isEqualTo("not the 2. time");
        assertThat(failed.attempts()).hasSize(2);
        assertThat(completed.state()).as(completed.reason()).isEqualTo(RunState.COMPLETED);
        assertThat(completed.attempts())
                .extracting(Run.Attempt::outcome)
                .containsExactly("failed", "failed", "failed", "completed");
    }

    @Test
    void does_not_try_again_what_somebody_must_mend() {
        AtomicInteger acts = new AtomicInteger();
        Rehearsal.write("hopeless", failing(FailureKind.CONFIGURATION, 1, acts), RunningTest::nothing);

        Run run = ended(nightshift.requests().launch(request("hopeless", 5, 5)));

        assertThat(run.state()).isEqualTo(RunState.FAILED);
        assertThat(run.attempts()).hasSize(1);
    }

    @Test
    void stops_what_waits_for_its_next_attempt() {
        Rehearsal.write("impatient", failing(FailureKind.STORAGE_UNAVAILABLE, 9, new AtomicInteger()), r -> {});
        LaunchRequest request = request("impatient", 5, 5);
        RunId id = nightshift
                .requests()
                .launch(new LaunchRequest(
                        request.job(),
                        request.jobType(),
                        request.cluster(),
                        request.cause(),
                        request.actor(),
                        request.settings(),
                        false,
                        new RunTerms(null, null, 5, Duration.ofHours(1), Duration.ofHours(1), 5, List.of(), false),
                        null,
                        null));
        awaitWaiting(id, "attempt 2 begins at ");
        Run waiting = run(id);

        nightshift.requests().stop(id, "enough");

        assertThat(waiting.state()).isEqualTo(RunState.QUEUED);
        assertThat(waiting.reason()).isEqualTo("not the 1. time");
        assertThat(run(id).state()).isEqualTo(RunState.STOPPED);
        assertThat(run(id).reason()).isEqualTo("enough");
    }

    @Test
    void begins_what_has_the_higher_priority_first() throws Exception {
        ConcurrentLinkedQueue<String> order = new ConcurrentLinkedQueue<>();
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch holds = new CountDownLatch(1);
        Rehearsal.write(
                "holder",
                run -> {
                    holds.countDown();
                    go.await();
                },
                RunningTest::nothing);
        Rehearsal.write("ranked", run -> order.add(run.job()), RunningTest::nothing);
        RunId holder = nightshift.requests().launch(request("holder", 1, 5, "ranks"));
        holds.await();
        List<RunId> waiting = List.of(ranked("last", 2), ranked("first", 9), ranked("second", 5), ranked("third", 5));
        waiting.forEach(id -> awaitWaiting(id, "exclusive group ranks: run "));

        go.countDown();

        waiting.forEach(id -> assertThat(ended(id).state()).isEqualTo(RunState.COMPLETED));
        assertThat(ended(holder).state()).isEqualTo(RunState.COMPLETED);
        assertThat(order).containsExactly("first", "second", "third", "last");
    }

    private static RunId ranked(String job, int priority) {
        LaunchRequest request = request("ranked", 1, priority, "ranks");
        return nightshift
                .requests()
                .launch(new LaunchRequest(
                        job,
                        request.jobType(),
                        "of-" + job,
                        request.cause(),
                        request.actor(),
                        request.settings(),
                        false,
                        request.terms(),
                        null,
                        null));
    }

    @Test
    void works_one_heavy_run_of_a_cluster_at_a_time() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicBoolean crowded = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Rehearsal.Act act = run -> {
            crowded.compareAndSet(false, inside.incrementAndGet() > 1);
            begun.countDown();
            go.await();
            inside.decrementAndGet();
        };
        Rehearsal.write("lifts", act, RunningTest::nothing);
        Rehearsal.write("carries", act, RunningTest::nothing);
        RunId one = nightshift.requests().launch(on("gym", request("lifts", 1, 5)));
        begun.await();

        RunId other = nightshift.requests().launch(on("gym", request("carries", 1, 5)));
        awaitWaiting(other, "cluster gym takes 1 heavy run at a time: run " + one + " (lifts on gym) works");
        go.countDown();

        assertThat(ended(one).state()).isEqualTo(RunState.COMPLETED);
        assertThat(ended(other).state()).isEqualTo(RunState.COMPLETED);
        assertThat(run(other).waitingFor()).isNull();
        assertThat(crowded).isFalse();
    }

    @Test
    void stops_a_step_that_hangs_at_its_limit_and_runs_the_next_due_time() {
        await().atMost(LIMIT)
                .until(() -> Installation.runs(database, "hangs").stream()
                                .filter(run -> run.state() == RunState.STOPPED)
                                .count()
                        >= 2);

        assertThat(Installation.runs(database, "hangs"))
                .filteredOn(run -> run.state() == RunState.STOPPED)
                .allSatisfy(run -> assertThat(run.reason()).isEqualTo("step firstAct passed its time limit of 1s"))
                .extracting(Run::due)
                .doesNotContainNull()
                .doesNotHaveDuplicates();
    }

    @Test
    void ends_runs_without_their_steps_when_those_do_not_react_and_lets_the_next_ones_begin() throws Exception {
        CountDownLatch work = new CountDownLatch(THREADS);
        CountDownLatch wakeUp = new CountDownLatch(1);
        AtomicBoolean deaf = new AtomicBoolean(true);
        Rehearsal.write(
                "deaf",
                run -> {
                    if (deaf.get()) {
                        work.countDown();
                        wakeUp.await();
                        run.summary("did it after all");
                    }
                },
                RunningTest::nothing);
        List<RunId> hanging = Stream.iterate(0, i -> i + 1)
                .limit(THREADS)
                .map(i -> nightshift.requests().launch(on("deaf-" + i, request("deaf", 1, 5))))
                .toList();
        work.await();

        hanging.forEach(run -> nightshift.requests().stop(run, "enough"));
        hanging.forEach(RunningTest::ended);
        deaf.set(false);
        RunId next = nightshift.requests().launch(on("deaf-0", request("deaf", 1, 5)));

        assertThat(ended(next).state()).as(run(next).reason()).isEqualTo(RunState.COMPLETED);
        assertThat(hanging).allSatisfy(id -> {
            assertThat(run(id).state()).isEqualTo(RunState.STOPPED);
            assertThat(run(id).reason()).isEqualTo("enough; it did not react within 1s and was left behind");
        });
        nightshift.requests().restart(hanging.get(1), "somebody", null);
        RunId other = nightshift.requests().launch(on("deaf-0", request("deaf", 1, 5)));
        assertThat(ended(other).state())
                .as("beside a run whose thread still hangs")
                .isEqualTo(RunState.COMPLETED);
        wakeUp.countDown();
        assertThat(ended(hanging.get(1)).state()).isEqualTo(RunState.COMPLETED);
        assertThat(run(hanging.get(0)).state()).isEqualTo(RunState.STOPPED);
        assertThat(run(hanging.get(0)).report()).isNull();
    }

    @Test
    void begins_a_queued_run_whose_process_died_with_its_lease() {
        Rehearsal.write("half-begun", RunningTest::nothing, RunningTest::nothing);
        LaunchRequest request = request("half-begun", 1, 5);
        RunId id = nightshift.requests().launch(request.onNode(nightshift.node()));
        Installation.sql(database)
                .sql("INSERT INTO lease (name, owner, token) VALUES (:name, 'dead', nextval('lease_token'))")
                .param("name", "run/" + id)
                .update();
        Installation.sql(database)
                .sql("UPDATE run SET node = NULL WHERE id = :run")
                .param("run", id.number())
                .update();

        assertThat(ended(id).state()).as(run(id).reason()).isEqualTo(RunState.COMPLETED);
    }

    @Test
    void does_not_try_again_what_failed_because_it_was_stopped() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        Rehearsal.write(
                "cut",
                run -> {
                    works.countDown();
                    await().atMost(LIMIT).until(run.cancellation()::isCancelled);
                    throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "stream closed");
                },
                RunningTest::nothing);
        RunId id = nightshift.requests().launch(request("cut", 5, 5));
        works.await();

        nightshift.requests().stop(id, "enough");

        assertThat(ended(id).state()).isEqualTo(RunState.STOPPED);
        assertThat(run(id).reason()).isEqualTo("enough");
        assertThat(run(id).attempts()).hasSize(1);
    }

    @Test
    void does_not_go_on_for_ever_with_a_run_that_loses_its_process_each_time() {
        Rehearsal.write("lethal", RunningTest::nothing, RunningTest::nothing);
        RunId id = nightshift.requests().launch(request("lethal", 1, 5).onNode(nightshift.node()));
        Installation.sql(database).sql("""
                        INSERT INTO attempt (run, number, node, token, ended_at, outcome)
                        VALUES (:run, 1, 'a', 1, now(), 'lost'), (:run, 2, 'b', 2, now(), 'lost'), (:run, 3, 'c', 3, NULL, NULL)
                        """).param("run", id.number()).update();
        Installation.sql(database)
                .sql("UPDATE run SET state = 'running', node = NULL, started_at = now() WHERE id = :run")
                .param("run", id.number())
                .update();

        NightshiftParts.of(nightshift, Recovery.class).resume();

        Run run = ended(id);
        assertThat(run.state()).isEqualTo(RunState.FAILED);
        assertThat(run.reason())
                .startsWith("3 attempts of this run ended with their process, so it is not gone on with\nHINT: ")
                .endsWith("nightshift restart " + id);
        assertThat(run.attempts()).extracting(Run.Attempt::outcome).doesNotContainNull();
    }
}
