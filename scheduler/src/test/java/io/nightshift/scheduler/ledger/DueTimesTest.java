package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.infra.config.Missed;
import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.schedule.CronSchedule;
import io.nightshift.scheduler.schedule.MissedRule;
import io.nightshift.scheduler.schedule.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

class DueTimesTest {

    private static final Instant EVENING = Instant.parse("2026-11-20T20:00:00Z");
    private static final Schedule AT_ONE = new CronSchedule("0 1 * * *", ZoneOffset.UTC, Dst.SHIFT);

    private static Installation installation;
    private static ControlDatabase database;

    private final DueTimes dueTimes =
            new DueTimes(database.pool(), new Requests(database.pool()), new Pauses(database.pool()));
    private final TransactionTemplate transaction =
            new TransactionTemplate(new JdbcTransactionManager(database.pool()));

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    @BeforeEach
    void clear() {
        Installation.sql(database).sql("TRUNCATE run, schedule_cursor CASCADE").update();
    }

    private List<RunId> account(Schedule schedule, Instant now) {
        return transaction.execute(status -> dueTimes.account(job(schedule), now));
    }

    private static ScheduledJob job(Schedule schedule) {
        return new ScheduledJob(
                Installation.rehearsal("nightly"),
                schedule,
                new MissedRule(Missed.Policy.ONCE, null, null, ZoneOffset.UTC),
                Duration.ZERO);
    }

    private static List<Run> runs() {
        List<Run> runs = new ArrayList<>(new RunHistory(database.pool()).runs(RunFilter.newest(100)));
        runs.sort(java.util.Comparator.comparing(Run::due));
        return runs;
    }

    private static Instant nights(int count) {
        return EVENING.plusSeconds(86_400L * count);
    }

    private static Instant due(int night) {
        return Instant.parse("2026-11-20T01:00:00Z").plusSeconds(86_400L * night);
    }

    @Test
    void opens_no_run_for_the_time_before_the_schedule_was_seen() {
        assertThat(account(AT_ONE, EVENING)).isEmpty();
        assertThat(account(AT_ONE, EVENING.plusSeconds(60))).isEmpty();
        assertThat(runs()).isEmpty();
    }

    @Test
    void opens_one_run_for_a_due_time_however_often_it_is_asked() {
        account(AT_ONE, EVENING);

        List<RunId> first = account(AT_ONE, nights(1));
        List<RunId> second = account(AT_ONE, nights(1));
        List<RunId> late = account(AT_ONE, nights(1).minusSeconds(3_600));

        assertThat(first).hasSize(1);
        assertThat(second).isEmpty();
        assertThat(late).isEmpty();
        assertThat(runs()).extracting(Run::due, Run::state).containsExactly(tuple(due(1), RunState.QUEUED));
    }

    @Test
    void opens_one_run_when_many_nodes_ask_at_once() throws Exception {
        account(AT_ONE, EVENING);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<Future<List<RunId>>> asked = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            asked.add(threads.submit(() -> account(AT_ONE, nights(1))));
        }

        int opened = 0;
        for (Future<List<RunId>> one : asked) {
            opened += one.get().size();
        }
        threads.shutdown();

        assertThat(opened).isEqualTo(1);
        assertThat(runs()).hasSize(1);
    }

    @Test
    void queues_the_newest_of_what_was_missed_and_records_the_others() {
        account(AT_ONE, EVENING);

        List<RunId> queued = account(AT_ONE, nights(3));

        assertThat(queued).hasSize(1);
        assertThat(runs())
                .extracting(Run::due, Run::state)
                .containsExactly(
                        tuple(due(1), RunState.MISSED), tuple(due(2), RunState.MISSED), tuple(due(3), RunState.QUEUED));
        assertThat(runs().get(0).reason()).isEqualTo("missed (covered by run " + queued.get(0) + ")");
    }

    @Test
    void skips_a_due_time_while_an_earlier_run_still_works_and_says_why() {
        account(AT_ONE, EVENING);
        RunId first = account(AT_ONE, nights(1)).get(0);
        Installation.sql(database)
                .sql("UPDATE run SET state = 'running', started_at = requested_at")
                .update();

        List<RunId> second = account(AT_ONE, nights(2));

        assertThat(second).isEmpty();
        assertThat(runs()).extracting(Run::state).containsExactly(RunState.RUNNING, RunState.SKIPPED);
        assertThat(runs().get(1).reason())
                .contains("run " + first + " running since ")
                .contains(" UTC");
        assertThat(runs().get(1).endedAt()).isNotNull();
    }

    @Test
    void misses_nothing_because_the_schedule_was_edited() {
        account(AT_ONE, EVENING);
        Schedule earlier = new CronSchedule("0 0 * * *", ZoneOffset.UTC, Dst.SHIFT);

        List<RunId> atTheEdit = account(earlier, nights(2));
        List<RunId> afterwards = account(earlier, nights(3));

        assertThat(atTheEdit).isEmpty();
        assertThat(afterwards).hasSize(1);
        assertThat(runs()).extracting(Run::state).containsExactly(RunState.QUEUED);
    }

    @Test
    void moves_its_cursor_only_with_the_runs_it_opened() {
        account(AT_ONE, EVENING);

        transaction.execute(status -> {
            dueTimes.account(job(AT_ONE), nights(1));
            status.setRollbackOnly();
            return null;
        });

        assertThat(account(AT_ONE, nights(1))).hasSize(1);
        assertThat(runs()).hasSize(1);
    }
}
