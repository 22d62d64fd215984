package io.nightshift.scheduler.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import io.nightshift.scheduler.ledger.Run;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a run logs, and where history finds it. */
class RunLogTest {

    private static final Logger LOG = LoggerFactory.getLogger(RunLogTest.class);

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase().write("clusters/guarded.yaml", """
                nodes: ["127.0.0.1:1"]
                username: nobody
                password: correct-horse-battery
                storages: {local: required}
                """);
        database = installation.controlDatabase();
        nightshift = installation.forOwnRuns(database);
    }

    @AfterAll
    static void close() {
        nightshift.close();
        database.close();
        installation.close();
    }

    private static RunId launch(String script, Rehearsal.Act first, Rehearsal.Act second) {
        Rehearsal.write(script, first, second);
        return nightshift.requests().launch(Installation.rehearsal(script).onNode(nightshift.node()));
    }

    private static String log(RunId run) {
        return new RunLogs(database.pool()).find(run).map(RunLog::text).orElse("");
    }

    @Test
    void can_be_read_while_the_run_goes_on() throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        RunId run = launch(
                "talks",
                context -> {
                    LOG.warn("half-way through");
                    read.await();
                },
                context -> LOG.warn("the other half"));
        ExecutorService worker = Executors.newSingleThreadExecutor();
        var working = worker.submit(() -> nightshift.work(run));

        try {
            await().atMost(LIMIT).until(() -> log(run).contains("[firstAct] RunLogTest: half-way through"));
        } finally {
            read.countDown();
            worker.shutdown();
        }
        working.get();
        await().atMost(LIMIT).until(() -> log(run).contains("the other half"));

        assertThat(log(run)).contains("[secondAct] RunLogTest: the other half");
    }

    @Test
    void holds_the_lines_of_its_own_run_only_and_of_all_attempts() {
        RunId quiet = launch("quiet", context -> LOG.warn("quiet indeed"), context -> {});
        RunId loud = launch("loud", context -> LOG.warn("loud indeed"), context -> {
            throw new IllegalStateException("once");
        });
        LOG.warn("nobody's line");
        nightshift.work(quiet);
        nightshift.work(loud);
        Rehearsal.write("loud", context -> {}, context -> LOG.warn("second attempt"));
        nightshift.requests().restart(loud, "somebody", nightshift.node());
        nightshift.work(loud);

        await().atMost(LIMIT)
                .until(() -> log(loud).contains("second attempt") && log(quiet).contains("quiet indeed"));

        assertThat(log(loud)).contains("loud indeed", "once").doesNotContain("nobody's line");
        assertThat(log(quiet)).doesNotContain("loud indeed", "nobody's line");
    }

    @Test
    void never_holds_a_secret() {
        RunId run = launch(
                "leaks",
                context -> {
                    LOG.warn("connecting with correct-horse-battery");
                    LOG.warn("jdbc:postgresql://db1/x?user=u&password=hunter2&ssl=true");
                    LOG.warn(
                            "postgresql://u:hunter3@db1/x, ALTER ROLE r PASSWORD 'hunter5', conninfo password='hunter4 and' more");
                },
                context -> LOG.warn("end of the leaks"));

        nightshift.work(run);

        await().atMost(LIMIT).until(() -> log(run).contains("end of the leaks"));
        assertThat(log(run))
                .contains("connecting with ********", "&ssl=true", "u:********@db1")
                .doesNotContain("battery", "hunter2", "hunter3", "hunter4", "hunter5");
    }

    @Test
    void keeps_the_newest_lines_and_counts_the_others() {
        List<String> many =
                IntStream.range(0, 12_000).mapToObj(n -> "line " + n).toList();

        RunLog log = RunLog.EMPTY.plus(many.subList(0, 6_000), 3).plus(many.subList(6_000, 12_000), 0);
        RunLog wide = RunLog.EMPTY.plus(List.of("x".repeat(RunLog.MOST_CHARACTERS), "short"), 0);

        assertThat(log.lines()).isEqualTo(RunLog.MOST_LINES);
        assertThat(log.dropped()).isEqualTo(12_000 - RunLog.MOST_LINES + 3);
        assertThat(log.text()).startsWith("line 7000\n").endsWith("line 11999\n");
        assertThat(wide).isEqualTo(new RunLog(1, 1, "short\n"));
    }

    @Test
    void remembers_how_much_each_step_did() {
        RunId id = launch(
                "counts",
                context -> {
                    context.progress().begin("copy", 300L, "bytes");
                    context.progress().advance(300);
                },
                context -> {});

        nightshift.work(id);

        assertThat(Installation.run(database, id).steps())
                .extracting(Run.StepRun::step, Run.StepRun::done, Run.StepRun::unit)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("firstAct", 300L, "bytes"),
                        org.assertj.core.groups.Tuple.tuple("secondAct", null, null));
        assertThat(new Progress().snapshot().step()).isEmpty();
    }
}
