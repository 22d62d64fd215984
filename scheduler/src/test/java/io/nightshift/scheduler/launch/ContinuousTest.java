package io.nightshift.scheduler.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Jobs that never end by nature. */
class ContinuousTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Installation installation = Installation.withOwnControlDatabase();
    private ControlDatabase database;
    private Nightshift nightshift;

    private void serve() {
        database = installation.controlDatabase();
        nightshift = installation.serving(database);
    }

    @AfterEach
    void close() {
        nightshift.close();
        database.close();
        installation.close();
    }

    private static String job(String schedule, String script) {
        return """
                type: rehearsal
                cluster: stage
                schedule: %s
                retry: {attempts: 1, pause: 1s, longest-pause: 1s}
                settings: {script: %s}
                """.formatted(schedule, script);
    }

    private List<Run> runs(String job) {
        return Installation.runs(database, job);
    }

    @Test
    void keep_one_run_each_beside_the_schedule_and_go_on_with_the_next_when_one_ends_its_day() {
        Map<String, Integer> inside = new ConcurrentHashMap<>();
        AtomicInteger most = new AtomicInteger();
        Set<String> firsts = ConcurrentHashMap.newKeySet();
        CountDownLatch dayIsOver = new CountDownLatch(1);
        Rehearsal.write(
                "streams",
                run -> {
                    most.accumulateAndGet(inside.merge(run.job(), 1, Integer::sum), Math::max);
                    boolean first = firsts.add(run.job());
                    Cancellation cancellation = run.cancellation();
                    await().atMost(LIMIT)
                            .until(() -> cancellation.isCancelled() || (first && dayIsOver.getCount() == 0));
                    cancellation.check();
                },
                run -> {
                    inside.merge(run.job(), -1, Integer::sum);
                    run.summary("ends its day at " + run.endsDayAt().orElseThrow());
                });
        Rehearsal.write("ticks", run -> {}, run -> {});
        for (int i = 0; i < 10; i++) {
            installation.write("jobs/stream-" + i + ".yaml", job("continuous", "streams"));
        }
        installation
                .write("nightshift.yaml", "work-threads: 1\n")
                .write("jobs/ticks.yaml", job("{every: 1s}", "ticks"));
        serve();
        await().atMost(LIMIT).until(() -> inside.size() == 10);
        await().atMost(LIMIT)
                .until(() -> runs("ticks").stream()
                                .filter(run -> run.state() == RunState.COMPLETED)
                                .count()
                        >= 3);

        dayIsOver.countDown();

        for (int i = 0; i < 10; i++) {
            String job = "stream-" + i;
            await().atMost(LIMIT)
                    .until(() -> runs(job).size() >= 2 && runs(job).get(0).state() == RunState.RUNNING);
            Run first = runs(job).get(runs(job).size() - 1);
            assertThat(first.state()).as(first.reason()).isEqualTo(RunState.COMPLETED);
            assertThat(Objects.requireNonNull(first.report()).summary())
                    .isEqualTo("ends its day at " + midnightAfter(Objects.requireNonNull(first.startedAt())));
        }
        assertThat(most).as("runs of one job at once").hasValue(1);
    }

    private static Instant midnightAfter(Instant time) {
        return time.atOffset(ZoneOffset.UTC)
                .toLocalDate()
                .plusDays(1)
                .atStartOfDay()
                .toInstant(ZoneOffset.UTC);
    }

    @Test
    void wait_after_a_failure_and_do_not_begin_while_they_are_paused() {
        AtomicInteger acts = new AtomicInteger();
        Rehearsal.write(
                "breaks",
                run -> {
                    acts.incrementAndGet();
                    throw new NightshiftException(FailureKind.STORAGE_UNAVAILABLE, "no room");
                },
                run -> {});
        installation.write("jobs/breaks.yaml", job("continuous", "breaks"));
        serve();
        await().atMost(LIMIT).until(() -> runs("breaks").size() >= 2);
        List<Run> two = runs("breaks");

        new Pauses(database.pool()).pause("breaks", null, "moving house", "somebody", Instant.now(), null);
        await().atMost(LIMIT).until(() -> runs("breaks").get(0).state().hasEnded());
        int before = runs("breaks").size();

        assertThat(Duration.between(
                        Objects.requireNonNull(two.get(1).endedAt()), two.get(0).requestedAt()))
                .isGreaterThanOrEqualTo(Duration.ofSeconds(1));
        await().during(Duration.ofMillis(2500))
                .atMost(LIMIT)
                .until(() -> runs("breaks").size() == before);
    }
}
