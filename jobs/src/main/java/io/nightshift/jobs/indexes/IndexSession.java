package io.nightshift.jobs.indexes;

import io.nightshift.infra.routing.SqlWork;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Timings;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;

/** A session that only reads, calls nobody's own objects, and waits for nobody for long. */
final class IndexSession {

    private static final List<String> PREAMBLE = List.of(
            "SET default_transaction_read_only = on",
            "SET search_path = pg_catalog",
            // As the texts of most statements were written.
            "SET standard_conforming_strings = on",
            "SET lock_timeout = '2s'",
            "SET statement_timeout = '60s'",
            "SET max_parallel_workers_per_gather = 0",
            "SET jit = off");

    private IndexSession() {}

    /** What the work makes of the session, which ends with it. */
    @SuppressWarnings("try") // the registration is held, not used
    static <T> T use(Connection opened, Cancellation cancellation, SqlWork<T> work) throws SQLException {
        long begun = System.nanoTime();
        try (Connection session = opened;
                Cancellation.Registration freeing = cancellation.onCancel(() -> abort(opened))) {
            try (Statement statement = session.createStatement()) {
                for (String setting : PREAMBLE) {
                    statement.execute(setting);
                }
            }
            return work.on(session);
        } finally {
            Timings.spent(Timings.Kind.SQL, Duration.ofNanos(System.nanoTime() - begun));
        }
    }

    private static void abort(Connection session) {
        try {
            session.abort(Runnable::run);
        } catch (SQLException gone) {
            // it is closed, which is what was wanted
        }
    }
}
