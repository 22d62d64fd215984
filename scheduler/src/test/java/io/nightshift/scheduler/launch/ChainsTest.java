package io.nightshift.scheduler.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.RunTerms;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Jobs that follow others. */
class ChainsTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;

    /** A job that leads, named after the test, and those that follow it. */
    private static void family(String leads) {
        installation
                .write("jobs/" + leads + ".yaml", job("none", leads))
                .write("jobs/" + leads + "-success.yaml", job("{after: " + leads + "}", "follows"))
                .write("jobs/" + leads + "-failure.yaml", job("{after: " + leads + ", when: failed}", "follows"))
                .write("jobs/" + leads + "-any.yaml", job("{after: " + leads + ", when: any}", leads + "-any"))
                .write("jobs/" + leads + "-third.yaml", job("{after: " + leads + "-any}", "follows"));
        Rehearsal.write(leads, run -> {}, run -> {});
        Rehearsal.write(leads + "-any", run -> {}, run -> {});
    }

    private static String job(String schedule, String script) {
        return """
                type: rehearsal
                cluster: stage
                schedule: %s
                settings: {script: %s}
                """.formatted(schedule, script);
    }

    @BeforeAll
    static void serve() {
        installation = Installation.withOwnControlDatabase();
        Rehearsal.write("follows", run -> {}, run -> {});
        List.of("good", "bad", "busy", "dry", "halted").forEach(ChainsTest::family);
        database = installation.controlDatabase();
        nightshift = installation.serving(database);
    }

    @AfterAll
    static void close() {
        nightshift.close();
        database.close();
        installation.close();
    }

    private static RunId lead(String job) {
        return nightshift.requests().launch(Installation.rehearsal(job));
    }

    private static List<Run> runs(String job) {
        return Installation.runs(database, job);
    }

    private static Run ended(String job) {
        await().atMost(LIMIT)
                .until(() -> !runs(job).isEmpty() && runs(job).get(0).state().hasEnded());
        return runs(job).get(0);
    }

    @Test
    void begin_after_a_run_that_completed_and_know_after_which() {
        RunId leader = lead("good");

        assertThat(List.of(ended("good-success"), ended("good-any"))).allSatisfy(run -> {
            assertThat(run.state()).as(run.reason()).isEqualTo(RunState.COMPLETED);
            assertThat(run.cause()).isEqualTo(Cause.CHAIN);
            assertThat(run.causedBy()).isEqualTo(leader.number());
            assertThat(run.actor()).isEqualTo("after good completed");
        });
        assertThat(ended("good-third").causedBy()).isEqualTo(ended("good-any").id());
        assertThat(runs("good-failure")).isEmpty();
    }

    @Test
    void begin_after_a_run_that_failed_where_they_wait_for_that() {
        Rehearsal.write(
                "bad",
                run -> {
                    throw new NightshiftException(FailureKind.DATA_DAMAGED, "page 7 is damaged");
                },
                run -> {});

        lead("bad");

        assertThat(List.of(ended("bad-failure"), ended("bad-any"))).allSatisfy(run -> {
            assertThat(run.state()).as(run.reason()).isEqualTo(RunState.COMPLETED);
            assertThat(run.actor()).isEqualTo("after bad failed");
        });
        assertThat(runs("bad-success")).isEmpty();
    }

    @Test
    void say_why_they_did_not_begin_when_they_are_paused_or_still_there() throws Exception {
        CountDownLatch works = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Rehearsal.write(
                "busy-any",
                run -> {
                    works.countDown();
                    go.await();
                },
                run -> {});
        new Pauses(database.pool()).pause("busy-success", null, "moving house", "somebody", Instant.now(), null);
        lead("busy");
        works.await();

        await().atMost(LIMIT).until(() -> runs("busy").get(0).state().hasEnded());
        lead("busy");

        assertThat(ended("busy-success").state()).isEqualTo(RunState.SKIPPED);
        assertThat(ended("busy-success").reason()).isEqualTo("paused by somebody: moving house");
        await().atMost(LIMIT).until(() -> runs("busy-any").size() == 2);
        assertThat(runs("busy-any").get(0).state()).isEqualTo(RunState.SKIPPED);
        assertThat(runs("busy-any").get(0).reason()).startsWith("job busy-any is already there on cluster stage: run ");
        go.countDown();
        await().atMost(LIMIT).until(() -> runs("busy-any").get(1).state().hasEnded());
    }

    @Test
    void begin_after_a_run_that_somebody_stopped_while_it_waited_for_its_next_attempt() {
        Rehearsal.write(
                "halted",
                run -> {
                    throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "no room");
                },
                run -> {});
        LaunchRequest request = Installation.rehearsal("halted");
        RunId leader = nightshift
                .requests()
                .launch(new LaunchRequest(
                        request.job(),
                        request.jobType(),
                        request.cluster(),
                        request.cause(),
                        request.actor(),
                        request.settings(),
                        false,
                        new RunTerms(null, null, 2, Duration.ofHours(1), Duration.ofHours(1), 5, List.of(), false),
                        null,
                        null));
        await().atMost(LIMIT).until(() -> Installation.run(database, leader).reason() != null);

        nightshift.requests().stop(leader, "enough");

        assertThat(ended("halted-failure").actor()).isEqualTo("after halted stopped");
        assertThat(runs("halted-success")).isEmpty();
    }

    @Test
    void do_not_follow_a_dry_run() {
        LaunchRequest request = Installation.rehearsal("dry");
        RunId dry = nightshift
                .requests()
                .launch(new LaunchRequest(
                        request.job(),
                        request.jobType(),
                        request.cluster(),
                        request.cause(),
                        request.actor(),
                        request.settings(),
                        true,
                        request.terms(),
                        null,
                        null));
        await().atMost(LIMIT)
                .until(() -> Installation.sql(database)
                        .sql("SELECT followed FROM run WHERE id = :run")
                        .param("run", dry.number())
                        .query(Boolean.class)
                        .single());

        assertThat(runs("dry-any")).isEmpty();
        assertThat(runs("dry-success")).isEmpty();
    }
}
