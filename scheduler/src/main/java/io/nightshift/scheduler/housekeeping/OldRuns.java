package io.nightshift.scheduler.housekeeping;

import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs that have long ended, but for the newest completed and the newest failed one of each job on each cluster, and
 * those that a finding refers to. What goes is counted into its month in the same transaction, a month of one job at a
 * time.
 */
record OldRuns(DataSource controlDatabase, TransactionTemplate transaction) implements OldRows {

    private static final String OLD = """
            FROM run r
            WHERE r.ended_at < :before
              AND NOT EXISTS (SELECT FROM finding f WHERE r.id IN (f.first_run, f.last_run))
              AND NOT (r.state IN ('completed', 'failed') AND NOT r.dry_run AND NOT EXISTS
                  (SELECT FROM run newer WHERE newer.job = r.job AND newer.cluster = r.cluster AND newer.state = r.state
                     AND NOT newer.dry_run AND (newer.requested_at, newer.id) > (r.requested_at, r.id)))
            """;
    private static final String MONTH = "date_trunc('month', coalesce(r.due, r.requested_at) AT TIME ZONE 'UTC')::date";

    /** The runs of one transaction. */
    private record Batch(Date month, String job, String cluster) {}

    @Override
    public String what() {
        return "runs";
    }

    @Override
    public long count(Instant before) {
        return Objects.requireNonNull(transaction.execute(status -> JdbcClient.create(controlDatabase)
                .sql("SELECT count(*) " + OLD)
                .param("before", Timestamp.from(before))
                .query(Long.class)
                .single()));
    }

    @Override
    public long deleteSome(Instant before) {
        return Objects.requireNonNull(transaction.execute(status -> {
            JdbcClient ledger = JdbcClient.create(controlDatabase);
            deleteWhatNobodyNeeds(ledger, before);
            return next(ledger, before)
                    .map(batch -> delete(ledger, batch, before))
                    .orElse(0L);
        }));
    }

    /** Resolved findings, what the watchdog saw, pauses: all over and as old. */
    private static void deleteWhatNobodyNeeds(JdbcClient ledger, Instant before) {
        for (String sql : List.of(
                """
                DELETE FROM finding f USING run r
                WHERE f.state = 'resolved' AND r.id = f.last_run AND r.ended_at < :before
                """,
                "DELETE FROM condition WHERE ended_at < :before",
                "DELETE FROM pause WHERE coalesce(ended_at, until) < :before")) {
            ledger.sql(sql).param("before", Timestamp.from(before)).update();
        }
    }

    private static Optional<Batch> next(JdbcClient ledger, Instant before) {
        return ledger.sql("SELECT " + MONTH + " AS month, r.job, r.cluster " + OLD + " ORDER BY r.requested_at LIMIT 1")
                .param("before", Timestamp.from(before))
                .query((row, number) -> new Batch(row.getDate("month"), row.getString("job"), row.getString("cluster")))
                .optional();
    }

    private static long delete(JdbcClient ledger, Batch batch, Instant before) {
        List<Long> old = ledger.sql("SELECT r.id " + OLD + " AND r.job = :job AND r.cluster = :cluster AND " + MONTH
                        + " = :month FOR UPDATE OF r")
                .param("before", Timestamp.from(before))
                .param("job", batch.job())
                .param("cluster", batch.cluster())
                .param("month", batch.month())
                .query(Long.class)
                .list();
        Long[] ids = old.toArray(Long[]::new);
        ledger.sql("""
                        INSERT INTO run_month AS kept
                        SELECT :month, min(job), min(job_type), min(cluster),
                               count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE state = 'failed'),
                               count(*) FILTER (WHERE state = 'stopped'), count(*) FILTER (WHERE state = 'skipped'),
                               count(*) FILTER (WHERE state = 'missed'), count(*) FILTER (WHERE state = 'refused'),
                               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - started_at)::float8)
                                   FILTER (WHERE state = 'completed'),
                               percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - started_at)::float8)
                                   FILTER (WHERE state = 'completed'),
                               sum((jsonb_path_query_first(report, '$.figures[*] ? (@.name == "bytes").value'))::float8)
                        FROM run WHERE id = ANY (:ids) AND NOT dry_run
                        HAVING count(*) > 0
                        ON CONFLICT (month, job, cluster) DO UPDATE
                        SET completed = kept.completed + excluded.completed, failed = kept.failed + excluded.failed,
                            stopped = kept.stopped + excluded.stopped, skipped = kept.skipped + excluded.skipped,
                            missed = kept.missed + excluded.missed, refused = kept.refused + excluded.refused,
                            -- quantiles cannot be added: those of the larger part stay
                            seconds_p50 = CASE WHEN excluded.completed > kept.completed
                                               THEN excluded.seconds_p50 ELSE kept.seconds_p50 END,
                            seconds_p95 = CASE WHEN excluded.completed > kept.completed
                                               THEN excluded.seconds_p95 ELSE kept.seconds_p95 END,
                            bytes = coalesce(kept.bytes, 0) + coalesce(excluded.bytes, 0)
                        """).param("month", batch.month()).param("ids", ids).update();
        for (String sql : List.of(
                "UPDATE run SET cause_run = NULL WHERE cause_run = ANY (:ids)",
                "DELETE FROM attempt WHERE run = ANY (:ids)",
                "DELETE FROM run WHERE id = ANY (:ids)")) {
            ledger.sql(sql).param("ids", ids).update();
        }
        return old.size();
    }
}
