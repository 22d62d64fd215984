package io.nightshift.scheduler.housekeeping;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.Objects;
import java.util.function.ToLongFunction;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/** The logs of runs that have long ended. */
record OldLogs(DataSource controlDatabase, TransactionTemplate transaction) implements OldRows {

    private static final int BATCH = 500;
    private static final String OLD = "FROM run_log l JOIN run r ON r.id = l.run WHERE r.ended_at < :before";

    @Override
    public String what() {
        return "logs";
    }

    @Override
    public long count(Instant before) {
        return inTransaction(ledger -> ledger.sql("SELECT count(*) " + OLD)
                .param("before", Timestamp.from(before))
                .query(Long.class)
                .single());
    }

    @Override
    public long deleteSome(Instant before) {
        return inTransaction(ledger ->
                (long) ledger.sql("DELETE FROM run_log WHERE run IN (SELECT l.run " + OLD + " LIMIT " + BATCH + ")")
                        .param("before", Timestamp.from(before))
                        .update());
    }

    private long inTransaction(ToLongFunction<JdbcClient> work) {
        return Objects.requireNonNull(
                transaction.execute(status -> work.applyAsLong(JdbcClient.create(controlDatabase))));
    }
}
