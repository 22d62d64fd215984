package io.nightshift.infra.server;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * Sessions of the superuser in database {@value #DATABASE} that stay open from one use to the next, one for each thread
 * that works at the same time: a login costs as much as ten queries. Each use finds its session as new. Thread-safe.
 */
final class KeptSessions implements AutoCloseable {

    static final String DATABASE = "postgres";

    private static final int ANSWER_SECONDS = 10;

    private final PostgresServer server;
    private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();

    KeptSessions(PostgresServer server) {
        this.server = server;
    }

    @FunctionalInterface
    interface Use<T> {
        T of(Statement statement) throws SQLException;
    }

    /** What goes wrong ends the session. */
    <T> T use(Use<T> use) throws SQLException {
        Connection connection = take();
        boolean kept = false;
        try (Statement statement = connection.createStatement()) {
            T result = use.of(statement);
            kept = isAsNew(statement);
            return result;
        } finally {
            if (kept) {
                idle.push(connection);
            } else {
                connection.close();
            }
        }
    }

    /** It may have been cut meanwhile, or its server killed. */
    private Connection take() throws SQLException {
        for (Connection kept = idle.poll(); kept != null; kept = idle.poll()) {
            if (kept.isValid(ANSWER_SECONDS)) {
                return kept;
            }
            kept.close();
        }
        return server.connect(DATABASE);
    }

    /** What a session counts is seen when it ends; of one that stays it must be asked for. */
    private static boolean isAsNew(Statement statement) {
        try {
            statement.execute("DISCARD ALL");
            statement.execute("SELECT pg_stat_force_next_flush()");
            return true;
        } catch (SQLException over) {
            // in a transaction that was left open, or cut by what it did itself
            return false;
        }
    }

    @Override
    public void close() throws SQLException {
        for (Connection kept = idle.poll(); kept != null; kept = idle.poll()) {
            kept.close();
        }
    }
}
