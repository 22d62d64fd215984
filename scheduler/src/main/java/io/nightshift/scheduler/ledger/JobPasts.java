package io.nightshift.scheduler.ledger;

import io.nightshift.scheduler.ledger.JobPast.Cursor;
import io.nightshift.scheduler.ledger.JobPast.MissedTimes;
import io.nightshift.scheduler.ledger.JobPast.Present;
import io.nightshift.scheduler.schedule.UsualDuration;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Reads what preview and watchdog need to know of many jobs, with one query over the index of each job's runs. */
public final class JobPasts {

    /** A job on one of its clusters. */
    public record Key(String job, String cluster) {}

    private static final String SQL = """
            SELECT j.job, j.cluster, c.schedule, c.in_force_since, c.accounted_until,
                   usual.runs, usual.median, usual.p95, usual.last_success, first.asked,
                   missed.times, missed.newest, missed.reason,
                   present.id, present.state, present.due, present.waits_since, present.waiting_for
            FROM unnest(:jobs::text[], :clusters::text[]) AS j (job, cluster)
            LEFT JOIN schedule_cursor c ON c.job = j.job AND c.cluster = j.cluster
            LEFT JOIN LATERAL (
                SELECT count(*) AS runs, max(ended_at) AS last_success,
                       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
                       percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
                FROM (SELECT ended_at, extract(epoch FROM ended_at - coalesce(started_at, ended_at)) AS seconds
                      FROM run
                      WHERE job = j.job AND cluster = j.cluster AND state = 'completed' AND NOT dry_run
                      ORDER BY requested_at DESC, id DESC LIMIT 20) newest) usual ON true
            LEFT JOIN LATERAL (
                SELECT requested_at AS asked FROM run
                WHERE job = j.job AND cluster = j.cluster AND NOT dry_run
                ORDER BY requested_at, id LIMIT 1) first ON true
            LEFT JOIN LATERAL (
                SELECT count(*) AS times, max(due) AS newest, (array_agg(reason ORDER BY due DESC))[1] AS reason
                FROM run
                WHERE job = j.job AND cluster = j.cluster AND state = 'missed'
                  AND requested_at > coalesce(usual.last_success, '-infinity')
                  AND requested_at > clock_timestamp() - interval '30 days') missed ON true
            LEFT JOIN LATERAL (
                SELECT id, state, due, waiting_for,
                       CASE state WHEN 'running' THEN started_at
                                  ELSE greatest(requested_at, not_before) END AS waits_since
                FROM run
                WHERE job = j.job AND cluster = j.cluster AND state IN ('queued', 'running') LIMIT 1) present ON true
            """;

    private final JdbcClient ledger;

    public JobPasts(DataSource controlDatabase) {
        this.ledger = JdbcClient.create(controlDatabase);
    }

    /** Of each of the jobs, those that the ledger does not know included. */
    public Map<Key, JobPast> of(List<Key> jobs) {
        Map<Key, JobPast> pasts = new HashMap<>();
        ledger.sql(SQL)
                .param("jobs", jobs.stream().map(Key::job).toArray(String[]::new))
                .param("clusters", jobs.stream().map(Key::cluster).toArray(String[]::new))
                .query((row, number) -> past(row))
                .list()
                .forEach(past -> pasts.put(new Key(past.job(), past.cluster()), past));
        return pasts;
    }

    private static JobPast past(ResultSet row) throws SQLException {
        return new JobPast(
                row.getString("job"),
                row.getString("cluster"),
                row.getString("schedule") == null
                        ? null
                        : new Cursor(row.getString("schedule"), at(row, "in_force_since"), at(row, "accounted_until")),
                row.getInt("runs") == 0
                        ? null
                        : new UsualDuration(row.getInt("runs"), seconds(row, "median"), seconds(row, "p95")),
                instant(row, "asked"),
                instant(row, "last_success"),
                row.getInt("times") == 0
                        ? null
                        : new MissedTimes(
                                row.getInt("times"),
                                at(row, "newest"),
                                Objects.requireNonNullElse(row.getString("reason"), "")),
                row.getString("state") == null ? null : present(row));
    }

    private static Present present(ResultSet row) throws SQLException {
        return new Present(
                RunState.of(row.getString("state")),
                row.getLong("id"),
                instant(row, "due"),
                at(row, "waits_since"),
                row.getString("waiting_for"));
    }

    private static Duration seconds(ResultSet row, String column) throws SQLException {
        return Duration.ofMillis(Math.round(row.getDouble(column) * 1000));
    }

    private static Instant at(ResultSet row, String column) throws SQLException {
        return row.getTimestamp(column).toInstant();
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        Timestamp at = row.getTimestamp(column);
        return at == null ? null : at.toInstant();
    }
}
