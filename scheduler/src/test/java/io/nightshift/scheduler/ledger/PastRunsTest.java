package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

class PastRunsTest {

    private static final String CLUSTER = "chanuka";
    private final Instant lastNight = Instant.now().minus(9, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS);

    private static Installation installation;
    private static ControlDatabase database;
    private static PastRuns past;

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
        past = new PastRuns(database.pool(), new TransactionTemplate(new JdbcTransactionManager(database.pool())));
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    @BeforeEach
    void empty() {
        Installation.sql(database)
                .sql("TRUNCATE run, run_month RESTART IDENTITY CASCADE")
                .update();
    }

    private static PastRun run(@Nullable Long number, String trace, Instant endedAt, Finding... findings) {
        return new PastRun(
                "nightly",
                "full-backup",
                CLUSTER,
                number == null ? null : new RunId(number),
                trace,
                endedAt.minusSeconds(600),
                endedAt,
                new JobReport(
                        "backup " + trace,
                        List.of(new Figure("bytes", 42, "bytes")),
                        List.of(findings),
                        List.of(),
                        List.of()));
    }

    private static LaunchRequest request() {
        return new LaunchRequest(
                "nightly",
                "full-backup",
                CLUSTER,
                Cause.SCHEDULE,
                "clock",
                Map.of(),
                false,
                RunTerms.ON_DEMAND,
                null,
                null);
    }

    private List<String> ledger() {
        return Installation.sql(database)
                .sql("SELECT concat_ws(' ', id, actor, report ->> 'summary') FROM run ORDER BY id")
                .query(String.class)
                .list();
    }

    @Test
    void come_back_once_under_their_numbers_and_later_ones_count_on_behind_them() {
        List<PastRun> runs = List.of(run(412L, "a", lastNight), run(407L, "b", lastNight.minusSeconds(86_400)));

        int first = past.enter(runs);
        int again = past.enter(runs);
        RunId next = new Requests(database.pool()).launch(request());

        assertThat(first).isEqualTo(2);
        assertThat(again).isZero();
        assertThat(ledger())
                .containsExactly("407 catalog rebuild backup b", "412 catalog rebuild backup a", "413 clock");
        assertThat(next).isEqualTo(new RunId(413));
        assertThat(Installation.run(database, new RunId(412))).satisfies(run -> {
            assertThat(run.state()).isEqualTo(RunState.COMPLETED);
            assertThat(run.endedAt()).isEqualTo(lastNight);
            assertThat(run.bytes()).isEqualTo(42);
            assertThat(run.exitStatus()).isZero();
        });
    }

    @Test
    void give_job_and_watchdog_their_last_success_and_start_no_chain() {
        past.enter(List.of(run(3L, "a", lastNight), run(4L, "b", Instant.now().minusSeconds(60))));

        JobPast known = new JobPasts(database.pool())
                .of(List.of(new JobPasts.Key("nightly", CLUSTER)))
                .get(new JobPasts.Key("nightly", CLUSTER));

        assertThat(known.lastSuccess()).isAfter(lastNight);
        assertThat(known.usual().runs()).isEqualTo(2);
        assertThat(known.usual().median()).hasMinutes(10);
        assertThat(Installation.sql(database)
                        .sql("SELECT count(*) FROM run WHERE NOT followed")
                        .query(Integer.class)
                        .single())
                .isZero();
    }

    @Test
    void leave_real_runs_as_they_are_and_take_other_numbers_beside_them() {
        Ledger.Outcome done = new Ledger.Outcome(RunState.COMPLETED, null, 0, JobReport.EMPTY);
        new Requests(database.pool()).record(request(), done, Instant.now().minusSeconds(600));
        List<String> real = ledger();

        int known = past.enter(List.of(run(1L, "its own", Instant.now().minusSeconds(60))));
        int other = past.enter(List.of(run(1L, "of another life", lastNight), run(null, "without", lastNight)));

        assertThat(known).isZero();
        assertThat(other).isEqualTo(2);
        assertThat(ledger())
                .hasSize(3)
                .startsWith(real.get(0))
                .contains("2 catalog rebuild backup of another life", "3 catalog rebuild backup without");
    }

    @Test
    void know_a_run_of_another_type_under_their_number_from_their_own() {
        Ledger.Outcome done = new Ledger.Outcome(RunState.COMPLETED, null, 0, JobReport.EMPTY);
        Instant now = Instant.now();
        for (String type : List.of("restore", "incremental-backup")) {
            LaunchRequest request = new LaunchRequest(
                    type, type, CLUSTER, Cause.REQUEST, "me", Map.of(), false, RunTerms.ON_DEMAND, null, null);
            new Requests(database.pool()).record(request, done, now.minusSeconds(60));
        }

        int ofTheRestore = past.enter(List.of(run(1L, "while somebody restored", now.minusSeconds(30))));
        int ofTheBackup = past.enter(List.of(run(2L, "a full after all", now.minusSeconds(30))));

        assertThat(ofTheRestore).isEqualTo(1);
        assertThat(ofTheBackup).isZero();
    }

    @Test
    void do_not_come_back_in_months_that_housekeeping_has_counted() {
        Instant longAgo = lastNight.minus(500, ChronoUnit.DAYS);
        Installation.sql(database)
                .sql("""
                        INSERT INTO run_month (month, job, job_type, cluster, completed, failed, stopped, skipped, missed, refused)
                        VALUES (date_trunc('month', :at::timestamptz AT TIME ZONE 'UTC')::date, 'nightly', 'full-backup', :cluster,
                                1, 0, 0, 0, 0, 0)
                        """)
                .param("at", longAgo.toString())
                .param("cluster", CLUSTER)
                .update();

        assertThat(past.enter(List.of(run(5L, "a", longAgo)))).isZero();
    }

    @Test
    void bring_the_findings_that_still_stand_with_them_and_overwrite_none() {
        Finding gap = new Finding("wal/gap/1", Severity.ERROR, "WAL archive", "is missing", "take a full backup");
        past.enter(List.of(run(3L, "a", lastNight, gap)));
        Installation.sql(database)
                .sql("UPDATE finding SET state = 'suppressed'")
                .update();

        past.enter(List.of(run(4L, "b", lastNight.plusSeconds(7200), gap)));

        assertThat(Installation.sql(database)
                        .sql("SELECT concat_ws(' ', job, cluster, key, state, first_run, last_run) FROM finding")
                        .query(String.class)
                        .list())
                .containsExactly("nightly chanuka wal/gap/1 suppressed 3 3");
        assertThat(Installation.run(database, new RunId(3)).exitStatus()).isEqualTo(3);
    }

    @Test
    void come_back_once_when_two_put_them_back_at_the_same_time() throws Exception {
        List<PastRun> runs = List.of(run(7L, "a", lastNight), run(null, "b", lastNight));
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<Integer> rebuild = () -> past.enter(runs);

            List<Future<Integer>> both = threads.invokeAll(List.of(rebuild, rebuild));

            assertThat(both.get(0).get() + both.get(1).get()).isEqualTo(2);
            assertThat(ledger()).containsExactly("7 catalog rebuild backup a", "8 catalog rebuild backup b");
        } finally {
            threads.shutdown();
        }
    }
}
