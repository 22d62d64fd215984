package io.nightshift.scheduler.report;

import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.report.NightReport.BackupState;
import io.nightshift.scheduler.schedule.DueTime;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Random;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Forty-five nights of five jobs on two clusters up to the morning of {@link #MORNING}, written into a ledger. */
final class PlantedNights implements AutoCloseable {

    static final ZoneId NAIROBI = ZoneId.of("Africa/Nairobi");
    static final LocalDate MORNING = LocalDate.of(2026, 11, 22);
    static final Instant NOW = MORNING.atTime(8, 30).atZone(NAIROBI).toInstant();
    private static final Instant BEGIN = NOW.minus(Duration.ofDays(45));

    private final Installation installation = Installation.withOwnControlDatabase();
    private final ControlDatabase database;
    private final JdbcClient sql;

    PlantedNights() {
        installation.write("nightshift.yaml", "zone: Africa/Nairobi\n");
        installation.write("clusters/chanuka.yaml", """
                nodes: ["127.0.0.1:1"]
                username: nobody
                storages: {local: required}
                """);
        job("chanuka-full-backup", "chanuka", "0 1 * * *", "expect: {succeed-by: '06:00'}");
        job("chanuka-incremental", "chanuka", "0 */2 * * *", "");
        job("chanuka-integrity", "chanuka", "0 3 * * SUN,WED", "");
        job("stage-full-backup", "stage", "30 1 * * *", "expect: {succeed-by: '06:00'}");
        job("stage-index-advice", "stage", "30 4 * * *", "");
        database = installation.controlDatabase();
        sql = JdbcClient.create(database.pool());
        Random random = new Random(17);
        for (PlannedJob job : planned()) {
            sql.sql("INSERT INTO schedule_cursor VALUES (:job, :cluster, :schedule, :since, :until)")
                    .param("job", job.job())
                    .param("cluster", job.cluster())
                    .param("schedule", job.schedule().text())
                    .param("since", Timestamp.from(BEGIN))
                    .param("until", Timestamp.from(NOW))
                    .update();
            for (DueTime due : job.schedule().between(BEGIN, NOW)) {
                int day = (int) Duration.between(BEGIN, due.at()).toDays();
                double spread = 1 + random.nextDouble() * 0.12 + day * 0.003;
                completed(job, due.at(), spread);
            }
        }
    }

    private void job(String name, String cluster, String cron, String more) {
        installation.write("jobs/" + name + ".yaml", """
                type: rehearsal
                cluster: %s
                schedule: {cron: "%s"}
                %s
                """.formatted(cluster, cron, more));
    }

    private void completed(PlannedJob job, Instant due, double factor) {
        double minutes = job.job().contains("full") ? 74 : job.job().contains("incremental") ? 6 : 38;
        double bytes = job.job().contains("full") ? 212e9 : job.job().contains("incremental") ? 2.4e9 : 0;
        sql.sql("""
                        INSERT INTO run (job, job_type, cluster, due, cause, actor, settings, state, report, exit_status,
                                         requested_at, started_at, ended_at)
                        VALUES (:job, 'rehearsal', :cluster, :due, 'schedule', 'schedule', '{}', 'completed', :report::jsonb, 0,
                                :due, :due::timestamptz + interval '2 s', :due::timestamptz + interval '2 s' + :minutes * interval '1 min')
                        """)
                .param("job", job.job())
                .param("cluster", job.cluster())
                .param("due", Timestamp.from(due))
                .param(
                        "report",
                        bytes == 0
                                ? "{}"
                                : "{\"figures\": [{\"name\": \"bytes\", \"value\": %d, \"unit\": \"bytes\"}]}"
                                        .formatted((long) (bytes * factor)))
                .param("minutes", minutes * factor)
                .update();
    }

    /** A miss, a failure, a retry, a late start, a finding, and what the watchdog saw. */
    PlantedNights spoil() {
        change(
                "chanuka-incremental",
                22,
                "state = 'missed', started_at = NULL, report = NULL, ended_at = requested_at,"
                        + " reason = 'missed: Nightshift was not running from 21:40 to 22:20'");
        change("stage-full-backup", 1, """
                state = 'failed', exit_status = 5, report = NULL, ended_at = started_at + interval '11 min',
                reason = E'base backup of cluster stage from db3:5432 refused: number of requested standby connections exceeds max_wal_senders (currently 2)\nHINT: raise max_wal_senders on db3, or do not overlap this job with other backups'
                """);
        change("chanuka-full-backup", 1, """
                started_at = due + interval '2 h 10 min', ended_at = due + interval '5 h 25 min'
                """);
        change(
                "stage-index-advice",
                4,
                "report = '{\"notEvaluated\": [{\"subject\": \"database scratch\","
                        + " \"reason\": \"pg_stat_statements is not installed\"}]}'");
        long retried = run("chanuka-integrity", 3);
        for (int attempt = 1; attempt <= 2; attempt++) {
            sql.sql("INSERT INTO attempt (run, number, node, token) VALUES (:run, :number, 'node', :number)")
                    .param("run", retried)
                    .param("number", attempt)
                    .update();
        }
        sql.sql("""
                        INSERT INTO finding VALUES
                        ('chanuka-integrity', 'chanuka', 'amcheck/base/1', 'error', 'index orders_customer_idx <of> "orders"',
                         'item order invariant violated in block 17 & 18', 'REINDEX INDEX CONCURRENTLY orders_customer_idx', 'new', :run, :run),
                        ('chanuka-integrity', 'chanuka', 'fk/2', 'warning', 'constraint bill_customer_fk', '3 rows have no parent',
                         NULL, 'still', :old, :run)
                        """).param("run", retried).param("old", retriedBefore()).update();
        sql.sql("""
                        INSERT INTO condition (key, kind, job, cluster, severity, subject, detail, remedy, began_at, seen_at)
                        VALUES ('k', 'overdue', 'stage-full-backup', 'stage', 'error', 'job stage-full-backup on cluster stage',
                                'has not completed for 31 h', 'see why run it failed', :at, :at)
                        """).param("at", Timestamp.from(NOW.minusSeconds(3_600))).update();
        return this;
    }

    private long retriedBefore() {
        return sql.sql("SELECT min(id) FROM run WHERE job = 'chanuka-integrity'")
                .query(Long.class)
                .single();
    }

    private void change(String job, int hour, String assignments) {
        sql.sql("UPDATE run SET " + assignments + " WHERE id = :run")
                .param("run", run(job, hour))
                .update();
    }

    /** The last night's run that was due in this hour. */
    long run(String job, int hour) {
        Instant due = (hour > 12 ? MORNING.minusDays(1) : MORNING)
                .atTime(hour, job.startsWith("stage") ? 30 : 0)
                .atZone(NAIROBI)
                .toInstant();
        return sql.sql("SELECT id FROM run WHERE job = :job AND due = :due")
                .param("job", job)
                .param("due", Timestamp.from(due))
                .query(Long.class)
                .single();
    }

    List<PlannedJob> planned() {
        var surroundings = installation.surroundings();
        return PlannedJob.of(surroundings.configuration(), surroundings.jobTypes());
    }

    NightReport report(Period.Length length) {
        return ReportMaker.make(
                new Period(length, MORNING, NAIROBI),
                NOW,
                new ReportLedger(database.pool()),
                planned(),
                List.of(
                        new BackupState(
                                "chanuka",
                                "20261121T220000Z-full-r8f3",
                                NOW.minus(Duration.ofHours(2)),
                                true,
                                null,
                                212_000_000_000L,
                                null),
                        new BackupState(
                                "stage",
                                "20261120T223000Z-full-a1b2",
                                NOW.minus(Duration.ofHours(31)),
                                true,
                                null,
                                198_000_000_000L,
                                null)),
                List.of());
    }

    JdbcClient sql() {
        return sql;
    }

    ControlDatabase database() {
        return database;
    }

    @Override
    public void close() {
        database.close();
        installation.close();
    }
}
