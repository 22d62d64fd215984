package io.nightshift.scheduler.cli;

import static io.nightshift.scheduler.Installation.rehearsal;
import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What people do to runs and jobs from the command line. */
class RunControlTest {

    private static final ExecutorService THREADS = Executors.newCachedThreadPool();

    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;

    private record Answer(int exitStatus, String out, String err) {}

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
        nightshift = installation.forOwnRuns(database);
        // The commands read it; they know the real job types.
        installation.write("jobs/nightly.yaml", """
                type: full-backup
                cluster: stage
                schedule: {cron: "0 1 * * *"}
                """);
    }

    @AfterAll
    static void close() {
        THREADS.shutdownNow();
        nightshift.close();
        database.close();
        installation.close();
    }

    private static Answer nightshift(String... words) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString()));
        all.addAll(List.of(words));
        int status = CommandLineOfNightshift.run(
                all.toArray(String[]::new),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                installation.environment());
        return new Answer(status, out.toString(), err.toString());
    }

    private static Run run(RunId id) {
        return Installation.run(database, id);
    }

    private static RunId launch(String script) {
        return nightshift.requests().launch(rehearsal(script).onNode(nightshift.node()));
    }

    private static void untilCancelled(RunContext run) throws InterruptedException {
        CountDownLatch freed = new CountDownLatch(1);
        try (var registration = run.cancellation().onCancel(freed::countDown)) {
            freed.await();
            assertThat(registration).isNotNull();
        }
        run.cancellation().check();
    }

    @Test
    void stop_ends_a_run_that_works_and_tells_how_it_ended() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        Rehearsal.write(
                "works",
                run -> {
                    works.countDown();
                    untilCancelled(run);
                },
                run -> {});
        RunId id = launch("works");
        Future<?> worker = THREADS.submit(() -> nightshift.work(id));
        works.await();

        Answer answer = nightshift("stop", id.toString(), "--reason", "disk is full");

        worker.get();
        assertThat(answer.exitStatus()).as(answer.err()).isZero();
        assertThat(answer.out())
                .contains("run " + id + "  works on stage  stopped after", "stopped by ", ": disk is full");
        assertThat(run(id).exitStatus()).isEqualTo(7);
    }

    @Test
    void stop_ends_a_queued_run_at_once_and_nobody_works_it_any_more() {
        RunId id = launch("none");

        Answer answer = nightshift("stop", id.toString());

        assertThat(answer.exitStatus()).isZero();
        assertThat(nightshift.work(id)).isEmpty();
        assertThat(run(id).state()).isEqualTo(RunState.STOPPED);
        assertThat(run(id).attempts()).isEmpty();
    }

    @Test
    void stop_is_refused_for_a_run_that_has_ended_or_is_not_there() {
        RunId id = launch("none");
        nightshift.work(id);

        Answer ended = nightshift("stop", id.toString());
        Answer unknown = nightshift("stop", "4711");

        assertThat(ended.exitStatus()).isEqualTo(4);
        assertThat(ended.err()).contains("run " + id + " is completed: there is nothing to stop");
        assertThat(unknown.exitStatus()).isEqualTo(2);
        assertThat(unknown.err()).contains("run 4711 does not exist");
    }

    @Test
    void restart_goes_on_at_the_step_that_failed_and_is_refused_once_completed() {
        AtomicBoolean healthy = new AtomicBoolean();
        Rehearsal.write("again", run -> run.remember("first", "done"), run -> {
            if (!healthy.get()) {
                throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "storage is away");
            }
        });
        RunId id = launch("again");
        nightshift.work(id);
        Run failed = run(id);
        healthy.set(true);

        nightshift.requests().restart(id, "somebody", nightshift.node());
        nightshift.work(id);
        Answer refused = nightshift("restart", id.toString(), "--here");

        assertThat(failed.state()).isEqualTo(RunState.FAILED);
        assertThat(run(id).state()).isEqualTo(RunState.COMPLETED);
        assertThat(refused.exitStatus()).isEqualTo(4);
        assertThat(refused.err())
                .contains("run " + id + " is completed: only failed and stopped runs can be restarted");
    }

    @Test
    void abandon_ends_a_run_whose_step_hears_nothing_and_what_it_does_later_counts_nothing() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        CountDownLatch hangs = new CountDownLatch(1);
        Rehearsal.write(
                "deaf",
                run -> {
                    works.countDown();
                    hangs.await();
                },
                RunContext::checkOwnership);
        RunId id = launch("deaf");
        Future<?> worker = THREADS.submit(() -> nightshift.work(id));
        works.await();

        Answer tooEarly = nightshift("abandon", id.toString());
        nightshift.requests().stop(id, "stopped by somebody");
        Answer answer = nightshift("abandon", id.toString(), "--reason", "hangs");

        hangs.countDown();
        assertThat(worker).failsWithin(java.time.Duration.ofSeconds(30));
        assertThat(tooEarly.exitStatus()).isEqualTo(4);
        assertThat(tooEarly.err()).contains("nightshift stop " + id + " first");
        assertThat(answer.exitStatus()).as(answer.err()).isZero();
        assertThat(run(id).state()).isEqualTo(RunState.STOPPED);
        assertThat(run(id).reason()).startsWith("abandoned by ").endsWith(": hangs");
        assertThat(run(id).attempts()).extracting(Run.Attempt::outcome).containsExactly("abandoned");
    }

    @Test
    void pause_and_resume_say_what_they_cover_and_jobs_shows_it() {
        Answer paused = nightshift("pause", "nightly", "--reason", "storage is moved", "--for", "2h");
        Answer shown = nightshift("jobs");
        Answer other = nightshift("resume", "--all");
        Answer resumed = nightshift("resume", "nightly");

        assertThat(paused.exitStatus()).as(paused.err()).isZero();
        assertThat(paused.out()).startsWith("paused: job nightly, until ");
        assertThat(shown.out()).contains("paused: job nightly, since ", ": storage is moved");
        assertThat(other.exitStatus()).isEqualTo(4);
        assertThat(other.err()).contains("every job is not paused", "paused are: job nightly");
        assertThat(resumed.out()).startsWith("resumed: job nightly");
        assertThat(nightshift("jobs").out()).doesNotContain("paused");
    }

    @Test
    void pause_refuses_what_it_cannot_mean() {
        assertThat(nightshift("pause", "--reason", "x").err()).contains("neither a job nor a cluster is named");
        assertThat(nightshift("pause", "nightli", "--reason", "x").err()).contains("there is no job nightli");
        assertThat(nightshift("pause", "--all", "--cluster", "stage", "--reason", "x")
                        .err())
                .contains("--all stands beside");
        assertThat(nightshift("pause", "--all", "--reason", "x", "--until", "2020-01-01")
                        .err())
                .contains("is over already");
    }
}
