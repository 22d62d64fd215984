package io.nightshift.scheduler.report;

import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.NightReport.Gap;
import io.nightshift.scheduler.report.NightReport.Month;
import io.nightshift.scheduler.report.NightReport.OpenFinding;
import io.nightshift.scheduler.report.ReportData.Condition;
import io.nightshift.scheduler.report.ReportData.Cursor;
import io.nightshift.scheduler.report.ReportData.JobKey;
import io.nightshift.scheduler.report.ReportData.RunRow;
import io.nightshift.scheduler.report.ReportData.Usual;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Asks the ledger what a report needs, one projection for each part. */
public final class ReportLedger {

    private static final Duration USUAL = Duration.ofDays(28);
    /** In a path of the report, so that whole reports stay where they are. */
    private static final String BYTES =
            "(jsonb_path_query_first(report, '$.figures[*] ? (@.name == \"bytes\").value'))::float8";

    private final JdbcClient ledger;

    public ReportLedger(DataSource controlDatabase) {
        ledger = JdbcClient.create(controlDatabase);
    }

    ReportData of(Period period) {
        Instant gridFrom = period.beginOf(period.gridNights().get(0));
        return new ReportData(
                runs(gridFrom, period.to()),
                usual(period.from()),
                lastSuccess(),
                cursors(),
                findings(period),
                gaps(period),
                conditions(period),
                months(period));
    }

    private List<RunRow> runs(Instant from, Instant to) {
        // A run is never due after it was asked for, so that the index on requested_at finds it.
        return ledger.sql("""
                        SELECT id, job, cluster, job_type, state, reason, due, requested_at, started_at, ended_at, exit_status,
                               (SELECT count(*) FROM attempt a WHERE a.run = r.id) AS attempts,
                               report #> '{findings,0}' IS NOT NULL AS findings, %s AS bytes
                        FROM run r
                        WHERE requested_at >= :from AND coalesce(due, requested_at) >= :from AND coalesce(due, requested_at) < :to
                          AND NOT dry_run
                        ORDER BY coalesce(due, requested_at), id
                        """.formatted(BYTES))
                .param("from", Timestamp.from(from))
                .param("to", Timestamp.from(to))
                .query((row, number) -> new RunRow(
                        row.getLong("id"),
                        key(row),
                        row.getString("job_type"),
                        RunState.of(row.getString("state")),
                        row.getString("reason"),
                        instant(row, "due"),
                        row.getTimestamp("requested_at").toInstant(),
                        instant(row, "started_at"),
                        instant(row, "ended_at"),
                        row.getObject("exit_status", Integer.class),
                        row.getInt("attempts"),
                        row.getBoolean("findings"),
                        row.getObject("bytes", Double.class)))
                .list();
    }

    private Map<JobKey, Usual> usual(Instant before) {
        return byJob(
                """
                        SELECT job, cluster, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
                               percentile_cont(0.5) WITHIN GROUP (ORDER BY bytes) AS bytes
                        FROM (SELECT job, cluster, extract(epoch FROM ended_at - started_at)::float8 AS seconds, %s AS bytes
                              FROM run
                              WHERE state = 'completed' AND requested_at >= :from AND requested_at < :to
                                AND started_at IS NOT NULL AND NOT dry_run) AS completed
                        GROUP BY job, cluster
                        """.formatted(BYTES),
                Map.of("from", Timestamp.from(before.minus(USUAL)), "to", Timestamp.from(before)),
                (row, number) -> new Usual(row.getObject("p50", Double.class), row.getObject("bytes", Double.class)));
    }

    private Map<JobKey, Instant> lastSuccess() {
        return byJob(
                """
                        SELECT job, cluster, max(ended_at) AS ended_at FROM run
                        WHERE state = 'completed' AND NOT dry_run GROUP BY job, cluster
                        """, Map.of(), (row, number) -> row.getTimestamp("ended_at").toInstant());
    }

    private Map<JobKey, Cursor> cursors() {
        return byJob(
                "SELECT job, cluster, schedule, in_force_since, accounted_until FROM schedule_cursor",
                Map.of(),
                (row, number) -> new Cursor(
                        row.getString("schedule"),
                        row.getTimestamp("in_force_since").toInstant(),
                        row.getTimestamp("accounted_until").toInstant()));
    }

    /** What stands, and what the period has resolved. */
    private List<OpenFinding> findings(Period period) {
        return ledger.sql("""
                        SELECT f.job, f.cluster, f.key, f.severity, f.subject, f.detail, f.remedy, f.state,
                               first.ended_at AS since, f.last_run
                        FROM finding f JOIN run first ON first.id = f.first_run JOIN run last ON last.id = f.last_run
                        WHERE first.requested_at < :to
                          AND (f.state <> 'resolved' OR (last.ended_at >= :from AND last.ended_at < :to))
                        ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info'], f.severity), first.ended_at DESC, f.key
                        """)
                .param("from", Timestamp.from(period.from()))
                .param("to", Timestamp.from(period.to()))
                .query((row, number) -> new OpenFinding(
                        row.getString("job"),
                        row.getString("cluster"),
                        new Finding(
                                row.getString("key"),
                                Severity.valueOf(row.getString("severity").toUpperCase(Locale.ROOT)),
                                row.getString("subject"),
                                row.getString("detail"),
                                row.getString("remedy"),
                                Finding.State.valueOf(row.getString("state").toUpperCase(Locale.ROOT))),
                        instant(row, "since"),
                        row.getLong("last_run")))
                .list();
    }

    private List<Gap> gaps(Period period) {
        return ledger.sql("""
                        SELECT id, job, cluster, gap ->> 'subject' AS subject, gap ->> 'reason' AS reason
                        FROM run, jsonb_array_elements(report -> 'notEvaluated') AS gap
                        WHERE requested_at >= :from AND coalesce(due, requested_at) >= :from AND coalesce(due, requested_at) < :to
                          AND NOT dry_run
                        ORDER BY id, subject
                        """)
                .param("from", Timestamp.from(period.from()))
                .param("to", Timestamp.from(period.to()))
                .query((row, number) -> new Gap(
                        row.getLong("id"),
                        row.getString("job"),
                        row.getString("cluster"),
                        row.getString("subject"),
                        row.getString("reason")))
                .list();
    }

    private List<Condition> conditions(Period period) {
        return ledger.sql("""
                        SELECT kind, job, cluster, run, severity, subject || ': ' || detail AS text, remedy, began_at
                        FROM condition
                        WHERE began_at < :to AND coalesce(ended_at, 'infinity') >= :from
                        ORDER BY began_at
                        """)
                .param("from", Timestamp.from(period.from()))
                .param("to", Timestamp.from(period.to()))
                .query((row, number) -> new Condition(
                        row.getString("kind"),
                        row.getString("job"),
                        row.getString("cluster"),
                        row.getObject("run", Long.class),
                        Severity.valueOf(row.getString("severity").toUpperCase(Locale.ROOT)),
                        row.getString("text"),
                        row.getString("remedy"),
                        row.getTimestamp("began_at").toInstant()))
                .list();
    }

    /** The runs that there are and what housekeeping has kept of the others; together they are all. */
    private List<Month> months(Period period) {
        return ledger.sql("""
                        SELECT month, sum(completed) AS completed, sum(failed) AS failed, sum(missed) AS missed,
                               coalesce(sum(bytes), 0) AS bytes, bool_or(kept) AS kept
                        FROM (SELECT date_trunc('month', coalesce(due, requested_at) AT TIME ZONE 'UTC')::date AS month,
                                     count(*) FILTER (WHERE state = 'completed') AS completed,
                                     count(*) FILTER (WHERE state IN ('failed', 'stopped')) AS failed,
                                     count(*) FILTER (WHERE state = 'missed') AS missed,
                                     sum(%s) AS bytes, false AS kept
                              FROM run WHERE NOT dry_run AND requested_at >= :from AND coalesce(due, requested_at) < :to
                              GROUP BY 1
                              UNION ALL
                              SELECT month, completed, failed + stopped, missed, bytes, true FROM run_month
                              WHERE month >= :from AND month < :to) AS parts
                        GROUP BY month ORDER BY month DESC LIMIT 12
                        """.formatted(BYTES))
                .param(
                        "from",
                        Timestamp.from(period.date()
                                .withDayOfMonth(1)
                                .minusMonths(11)
                                .atStartOfDay(ZoneOffset.UTC)
                                .toInstant()))
                .param("to", Timestamp.from(period.to()))
                .query((row, number) -> new Month(
                        row.getDate("month").toLocalDate(),
                        row.getInt("completed"),
                        row.getInt("failed"),
                        row.getInt("missed"),
                        row.getDouble("bytes"),
                        row.getBoolean("kept")))
                .list();
    }

    private <T> Map<JobKey, T> byJob(String sql, Map<String, ?> values, RowMapper<T> reader) {
        Map<JobKey, T> found = new HashMap<>();
        ledger.sql(sql)
                .params(values)
                .query((row, number) -> {
                    T value = reader.mapRow(row, number);
                    if (value != null) {
                        found.put(key(row), value);
                    }
                    return number;
                })
                .list();
        return found;
    }

    private static JobKey key(ResultSet row) throws SQLException {
        return new JobKey(row.getString("job"), row.getString("cluster"));
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        Timestamp at = row.getTimestamp(column);
        return at == null ? null : at.toInstant();
    }
}
