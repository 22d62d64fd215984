package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.Missed;
import io.nightshift.infra.config.Schedule.Dst;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.schedule.CronSchedule;
import io.nightshift.scheduler.schedule.MissedRule;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Years of due times into a real ledger, by a clock that is moved on in uneven steps, while transactions are lost and two
 * nodes do the same: one row each, no hole, no double. What is due is found here another way: day by day, with java.time.
 */
class EveryDueTimeTest {

    private static final List<String> ZONES = List.of(
            "Australia/Lord_Howe",
            "America/Santiago",
            "Africa/Nairobi",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata");

    private static final List<Seed> SEEDS = Seed.underTest();
    private static final LocalDate FIRST = LocalDate.parse("2026-03-01");
    private static final int DAYS = Effort.of(70, 3 * 365);

    /** A job in the words of cron, and in those of java.time. */
    private record Job(String name, String cron, LocalTime at, Set<DayOfWeek> on) {}

    private static final List<Job> JOBS = List.of(
            new Job("nightly", "30 2 * * *", LocalTime.of(2, 30), EnumSet.allOf(DayOfWeek.class)),
            new Job(
                    "midnight",
                    "0 0 * * MON-FRI",
                    LocalTime.MIDNIGHT,
                    EnumSet.range(DayOfWeek.MONDAY, DayOfWeek.FRIDAY)));

    private static Installation installation;
    private static ControlDatabase database;
    private static TransactionTemplate transaction;

    private final Random random = SEEDS.get(SEEDS.size() - 1).random();
    private final DueTimes node = node();
    private final DueTimes otherNode = node();

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
        transaction = new TransactionTemplate(new JdbcTransactionManager(database.pool()));
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    private static DueTimes node() {
        return new DueTimes(database.pool(), new Requests(database.pool()), new Pauses(database.pool()));
    }

    @Test
    void becomes_one_row_of_the_ledger() {
        int rows = 0;
        for (String zone : ZONES.subList(0, Effort.of(3, ZONES.size()))) {
            for (Job job : JOBS) {
                rows += assertEveryDueTime(job, ZoneId.of(zone));
            }
        }

        assertThat(rows).isGreaterThan(Effort.of(300, 10_000));
    }

    private int assertEveryDueTime(Job job, ZoneId zone) {
        String name = job.name() + "-" + zone.getId().replace('/', '-');
        ScheduledJob scheduled = new ScheduledJob(
                Installation.rehearsal(name),
                new CronSchedule(job.cron(), zone, Dst.SHIFT),
                new MissedRule(Missed.Policy.ONCE, null, null, zone),
                Duration.ZERO);
        Instant begin = FIRST.atTime(12, 0).atZone(zone).toInstant();
        Instant end = FIRST.plusDays(DAYS).atTime(12, 0).atZone(zone).toInstant();

        for (Instant now = begin; now.isBefore(end); now = now.plus(Duration.ofMinutes(30 + random.nextInt(2_400)))) {
            account(scheduled, now);
        }
        account(scheduled, end);

        List<Instant> rows = Installation.sql(database)
                .sql("SELECT due FROM run WHERE job = :job ORDER BY due")
                .param("job", name)
                .query((row, number) -> row.getTimestamp(1).toInstant())
                .list();
        assertThat(rows).as(name).isEqualTo(List.copyOf(expected(job, zone, begin, end)));
        assertThat(Installation.sql(database)
                        .sql("SELECT DISTINCT state FROM run WHERE job = :job")
                        .param("job", name)
                        .query(String.class)
                        .list())
                .isSubsetOf("completed", "missed");
        return rows.size();
    }

    /** As the clock does it, now and then with a crash before the commit, or a second node that does it once more. */
    private void account(ScheduledJob job, Instant now) {
        if (random.nextInt(5) == 0) {
            transaction.executeWithoutResult(status -> {
                node.account(job, now);
                status.setRollbackOnly();
            });
        }
        transaction.executeWithoutResult(status -> {
            node.account(job, now);
            JdbcClient.create(database.pool())
                    .sql("UPDATE run SET state = 'completed', ended_at = now() WHERE job = :job AND state = 'queued'")
                    .param("job", job.job())
                    .update();
        });
        if (random.nextInt(5) == 0) {
            transaction.executeWithoutResult(
                    status -> assertThat(otherNode.account(job, now)).isEmpty());
        }
    }

    private static Set<Instant> expected(Job job, ZoneId zone, Instant begin, Instant end) {
        Set<Instant> due = new TreeSet<>();
        for (LocalDate day = FIRST; !day.isAfter(FIRST.plusDays(DAYS)); day = day.plusDays(1)) {
            Instant at = onTheWall(day.atTime(job.at()), zone);
            if (job.on().contains(day.getDayOfWeek()) && at.isAfter(begin) && !at.isAfter(end)) {
                due.add(at);
            }
        }
        return due;
    }

    private static Instant onTheWall(LocalDateTime time, ZoneId zone) {
        ZoneOffsetTransition change = zone.getRules().getTransition(time);
        return change != null && change.isGap()
                ? change.getInstant()
                : time.atZone(zone).toInstant();
    }
}
