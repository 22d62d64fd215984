package io.nightshift.jobs.backup;

import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Timings;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session of the run for short questions. A server that hangs does not hang the run: the session is cut when the run
 * is stopped, and when no answer comes within the job's idle limit.
 */
final class ServerSession implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ServerSession.class);

    private final Connection connection;
    private final Cancellation.Registration freeing;
    private final long opened = System.nanoTime();

    private ServerSession(Connection connection, Cancellation.Registration freeing) {
        this.connection = connection;
        this.freeing = freeing;
    }

    static ServerSession open(ManagedNode node, RunContext run) throws SQLException {
        return limited(node.direct(run.purpose()), run);
    }

    /** The same in one of the cluster's databases. */
    static ServerSession open(ManagedNode node, String database, RunContext run) throws SQLException {
        return limited(node.direct(database, run.purpose()), run);
    }

    /** Something to ask over a session. */
    @FunctionalInterface
    interface Question<T> {
        T ask(Connection session) throws SQLException;
    }

    /**
     * Asks over a session of its own.
     *
     * @param asked for what, as it is said where that fails
     */
    static <T> T ask(ManagedNode node, RunContext run, String asked, Question<T> question) {
        try (ServerSession session = open(node, run)) {
            return question.ask(session.connection());
        } catch (SQLException e) {
            throw SqlStates.failure(asked + " not read", e);
        }
    }

    private static ServerSession limited(Connection connection, RunContext run) throws SQLException {
        connection.setNetworkTimeout(
                Runnable::run,
                Math.toIntExact(BackupSettings.of(run).idleLimit().toMillis()));
        return new ServerSession(connection, run.cancellation().onCancel(() -> cut(connection)));
    }

    Connection connection() {
        return connection;
    }

    @Override
    public void close() throws SQLException {
        freeing.close();
        connection.close();
        Timings.spent(Timings.Kind.SQL, Duration.ofNanos(System.nanoTime() - opened));
    }

    private static void cut(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException closedAlready) {
            LOG.debug("session not cut: {}", closedAlready.getMessage());
        }
    }
}
