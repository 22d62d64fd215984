package io.nightshift.scheduler.housekeeping;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/** What Spring Batch remembers of executions whose run has long ended. A run restarted after that begins afresh. */
record OldSteps(DataSource controlDatabase, TransactionTemplate transaction) implements OldRows {

    private static final int BATCH = 200;
    /** Spring Batch stores local times, and every JVM of ours runs in UTC. */
    private static final String OLD = """
            FROM batch_job_execution e
            WHERE coalesce(e.end_time, e.last_updated) < :before AT TIME ZONE 'UTC'
              AND NOT EXISTS (SELECT FROM attempt a JOIN run r ON r.id = a.run
                              WHERE a.job_execution = e.job_execution_id AND r.ended_at IS NULL)
            """;

    @Override
    public String what() {
        return "executions";
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
        return Objects.requireNonNull(transaction.execute(status -> delete(before)));
    }

    private long delete(Instant before) {
        JdbcClient ledger = JdbcClient.create(controlDatabase);
        List<Long> old = ledger.sql("SELECT e.job_execution_id " + OLD + " ORDER BY 1 LIMIT " + BATCH)
                .param("before", Timestamp.from(before))
                .query(Long.class)
                .list();
        if (old.isEmpty()) {
            return 0;
        }
        List<Long> instances = ledger.sql(
                        "SELECT DISTINCT job_instance_id FROM batch_job_execution WHERE job_execution_id IN (:old)")
                .param("old", old)
                .query(Long.class)
                .list();
        for (String sql : List.of(
                """
                DELETE FROM batch_step_execution_context WHERE step_execution_id IN
                    (SELECT step_execution_id FROM batch_step_execution WHERE job_execution_id IN (:old))
                """,
                "DELETE FROM batch_step_execution WHERE job_execution_id IN (:old)",
                "DELETE FROM batch_job_execution_context WHERE job_execution_id IN (:old)",
                "DELETE FROM batch_job_execution_params WHERE job_execution_id IN (:old)",
                "DELETE FROM batch_job_execution WHERE job_execution_id IN (:old)")) {
            ledger.sql(sql).param("old", old).update();
        }
        ledger.sql("""
                        DELETE FROM batch_job_instance i WHERE i.job_instance_id IN (:instances)
                          AND NOT EXISTS (SELECT FROM batch_job_execution e WHERE e.job_instance_id = i.job_instance_id)
                        """).param("instances", instances).update();
        return old.size();
    }
}
