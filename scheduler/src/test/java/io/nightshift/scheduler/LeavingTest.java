package io.nightshift.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.launch.Ticker;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A node that serves is told to end while runs work, and starts again. */
class LeavingTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final AtomicInteger FIRST_ACTS = new AtomicInteger();
    private static final AtomicInteger SECOND_ACTS = new AtomicInteger();

    private static Installation installation;
    private static ControlDatabase database;

    /** Comes to the end of its first step while the node waits. */
    private static RunId walks;
    /** Works longer than the node waits. */
    private static RunId crawls;
    /** Is stopped by somebody while the node waits. */
    private static RunId unwanted;
    /** Was asked for when the node took nothing new any more. */
    private static RunId late;

    private static Run left;
    private static Run leftCrawling;
    private static Run leftUntouched;

    @BeforeAll
    static void leaveAndStartAgain() throws Exception {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        CountDownLatch works = new CountDownLatch(3);
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean again = new AtomicBoolean();
        Rehearsal.write(
                "walks",
                run -> {
                    FIRST_ACTS.incrementAndGet();
                    works.countDown();
                    go.await();
                },
                run -> SECOND_ACTS.incrementAndGet());
        Rehearsal.write(
                "crawls",
                run -> {
                    works.countDown();
                    if (!again.getAndSet(true)) {
                        untilCancelled(run);
                    }
                },
                run -> {});
        Rehearsal.write(
                "unwanted",
                run -> {
                    works.countDown();
                    untilCancelled(run);
                },
                run -> {});
        try (Nightshift nightshift = installation.serving(database)) {
            walks = nightshift.requests().launch(Installation.rehearsal("walks"));
            crawls = nightshift.requests().launch(Installation.rehearsal("crawls"));
            unwanted = nightshift.requests().launch(Installation.rehearsal("unwanted"));
            works.await();
            Future<?> leaving = thread.submit(() -> nightshift.leave(Duration.ofSeconds(3)));
            await().atMost(LIMIT).until(() -> !nightshift.part(Ticker.class).isRunning());
            late = nightshift.requests().launch(Installation.rehearsal("late", "none", null));
            nightshift.requests().stop(unwanted, "not needed any more");
            go.countDown();
            leaving.get();
        }
        thread.shutdown();
        left = run(walks);
        leftCrawling = run(crawls);
        leftUntouched = run(late);
        try (Nightshift next = installation.serving(database)) {
            await().atMost(LIMIT)
                    .until(() -> Installation.sql(database)
                                    .sql("SELECT count(*) FROM run WHERE ended_at IS NULL")
                                    .query(Long.class)
                                    .single()
                            == 0);
            assertThat(next.node()).isNotEmpty();
        }
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    private static Run run(RunId id) {
        return Installation.run(database, id);
    }

    private static void untilCancelled(RunContext run) {
        Cancellation cancellation = run.cancellation();
        await().atMost(LIMIT).until(cancellation::isCancelled);
        cancellation.check();
    }

    @Test
    void lets_a_run_come_to_the_boundary_of_a_step_and_goes_on_there_at_the_next_start() {
        assertThat(left.state()).isEqualTo(RunState.QUEUED);
        assertThat(left.reason()).isEqualTo("Nightshift was told to end; this run goes on at its next start");
        assertThat(run(walks).state()).as(run(walks).reason()).isEqualTo(RunState.COMPLETED);
        assertThat(run(walks).attempts()).extracting(Run.Attempt::outcome).containsExactly("interrupted", "completed");
        assertThat(FIRST_ACTS).hasValue(1);
        assertThat(SECOND_ACTS).hasValue(1);
    }

    @Test
    void asks_what_outlasts_the_deadline_to_stop_and_goes_on_with_it_at_the_next_start() {
        assertThat(leftCrawling.state()).isEqualTo(RunState.QUEUED);
        assertThat(leftCrawling.attempts()).extracting(Run.Attempt::outcome).containsExactly("interrupted");
        assertThat(run(crawls).state()).as(run(crawls).reason()).isEqualTo(RunState.COMPLETED);
    }

    @Test
    void ends_a_run_that_somebody_stops_meanwhile_as_stopped() {
        assertThat(run(unwanted).state()).isEqualTo(RunState.STOPPED);
        assertThat(run(unwanted).reason()).isEqualTo("not needed any more");
        assertThat(run(unwanted).attempts()).hasSize(1);
    }

    @Test
    void begins_nothing_new_until_the_next_start() {
        assertThat(leftUntouched.state()).isEqualTo(RunState.QUEUED);
        assertThat(leftUntouched.attempts()).isEmpty();
        assertThat(run(late).state()).isEqualTo(RunState.COMPLETED);
    }
}
