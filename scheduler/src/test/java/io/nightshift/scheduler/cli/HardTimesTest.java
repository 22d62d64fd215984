package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.housekeeping.HousekeepingJobType;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real process that serves a job due every two seconds, through what befalls processes and control databases. */
class HardTimesTest {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Duration EVERY = Duration.ofSeconds(2);
    private static final String JOB = "ticks";

    private static TestPostgres control;
    private static Installation installation;
    private static ControlDatabase database;
    private static ChildJvm serve;

    @BeforeAll
    static void serve() {
        control = TestPostgres.start(PostgresVersion.NEWEST_SUPPORTED_MAJOR);
        installation = Installation.on(control.url("postgres"), control.username(), control.password())
                .with(new HousekeepingJobType())
                .write("jobs/" + JOB + ".yaml", """
                        type: housekeeping
                        schedule: {every: %ds}
                        """.formatted(EVERY.toSeconds()));
        serve = start();
        serve.awaitLine("nightshift serves as");
        database = installation.controlDatabase();
    }

    private static ChildJvm start() {
        return ChildJvm.start(
                Main.class,
                installation.environment(),
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString(),
                "serve");
    }

    @AfterAll
    static void close() {
        serve.close();
        database.close();
        installation.close();
        control.close();
    }

    private static List<Run> runs() {
        return Installation.runs(database, JOB);
    }

    private static void awaitRunsDueAfter(Instant time) {
        await().atMost(LIMIT)
                .ignoreExceptions()
                .until(() -> runs().stream()
                        .anyMatch(run -> run.state() == RunState.COMPLETED
                                && Objects.requireNonNull(run.due()).isAfter(time)));
    }

    private static void awaitTime(Instant time) {
        await().atMost(Duration.ofMinutes(15)).until(() -> Instant.now().isAfter(time));
    }

    /** Every due time from the first to the last has exactly one row, and each that is not the newest has ended. */
    private static void assertEveryDueTimeIsAccountedFor() {
        await().atMost(LIMIT)
                .ignoreExceptions()
                .until(() -> runs().stream().skip(1).allMatch(run -> run.state().hasEnded()));
        List<Run> all = runs();
        List<Instant> due =
                all.stream().map(Run::due).map(Objects::requireNonNull).sorted().toList();
        List<Instant> expected = Stream.iterate(due.get(0), time -> time.plus(EVERY))
                .limit(1 + Duration.between(due.get(0), due.get(due.size() - 1)).dividedBy(EVERY))
                .toList();
        assertThat(due).isEqualTo(expected);
        assertThat(all.stream().skip(1).map(Run::state).collect(Collectors.toSet()))
                .isSubsetOf(RunState.COMPLETED, RunState.SKIPPED, RunState.MISSED);
    }

    @Test
    void accounts_for_every_due_time_of_a_while_in_which_its_process_was_frozen() {
        awaitRunsDueAfter(Instant.EPOCH);
        Instant begin = Instant.now();

        serve.freeze();
        awaitTime(begin.plusSeconds(Effort.of(7, 600)));
        serve.thaw();

        awaitRunsDueAfter(Instant.now());
        assertEveryDueTimeIsAccountedFor();
    }

    @Test
    void accounts_for_every_due_time_of_a_while_in_which_the_control_database_was_away() {
        awaitRunsDueAfter(Instant.EPOCH);
        Instant begin = Instant.now();

        control.kill();
        awaitTime(begin.plusSeconds(Effort.of(7, 300)));
        control.restart();

        awaitRunsDueAfter(Instant.now());
        assertEveryDueTimeIsAccountedFor();
    }
}
