package io.nightshift.infra.routing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Sessions in one database of one node, lent and taken back. It holds none while nobody borrows, and belongs to the part
 * that the node had when it was made: as primary, or as standby. Its size bounds what we do there at the same time.
 */
final class NodePool implements AutoCloseable {

    private static final int LARGEST = 4;
    private static final Duration VALIDATION = Duration.ofSeconds(2);
    /** Whoever waits for a session looks so often whether there is a reason not to. */
    private static final Duration SLICE = Duration.ofMillis(250);
    /** The server ends what takes too long; a connection is only cut where the server does not. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    private static final Duration IDLE = Duration.ofSeconds(30);

    private final String name;
    private final String part;
    private final Source source;
    private final HikariDataSource pool;
    private final AtomicInteger lent = new AtomicInteger();

    /** @param part as {@link NodeObservation.Answered#part()} says */
    NodePool(NodeSessions sessions, NodeAddress node, String database, String part) {
        this.name = "sessions of " + database + " on " + node + " of cluster "
                + sessions.cluster().name();
        this.part = part;
        this.source = new Source(sessions, node, database);
        HikariConfig config = new HikariConfig();
        config.setPoolName(sessions.cluster().name() + " " + node + " " + database);
        config.setDataSource(source);
        config.setMaximumPoolSize(LARGEST);
        config.setMinimumIdle(0);
        config.setIdleTimeout(IDLE.toMillis());
        config.setConnectionTimeout(SLICE.toMillis());
        config.setValidationTimeout(VALIDATION.toMillis());
        // Whoever comes first is not kept waiting for a node that is down, but told by the loan.
        config.setInitializationFailTimeout(-1);
        pool = new HikariDataSource(config);
    }

    String part() {
        return part;
    }

    /** How many of its sessions are lent, or waited for. */
    int lent() {
        return lent.get();
    }

    @FunctionalInterface
    interface Loan<T> {
        /** Works with it for as long as is left. */
        T with(Connection connection, Duration left) throws SQLException;
    }

    /**
     * Lends a session under this name. A server that says nothing for longer than what is left is taken for gone.
     *
     * @param until of {@link System#nanoTime}, for waiting and working
     * @throws SQLException of the work
     * @throws NightshiftException because there is no session: with the server's reason, or that all are in use, or that
     *     the pool was closed meanwhile
     */
    <T> T lend(String purpose, long until, Loan<T> loan) throws SQLException {
        lent.incrementAndGet();
        try (Connection connection = session(until)) {
            Duration left = left(until);
            connection.setNetworkTimeout(
                    Runnable::run, Math.toIntExact(left.plus(GRACE).toMillis()));
            connection.setClientInfo("ApplicationName", ReplicationConnection.APPLICATION_NAME + " " + purpose);
            return loan.with(connection, left);
        } finally {
            lent.decrementAndGet();
        }
    }

    private static Duration left(long until) {
        return Duration.ofNanos(Math.max(1_000_000, until - System.nanoTime()));
    }

    private Connection session(long until) {
        long since = System.nanoTime();
        while (true) {
            try {
                return pool.getConnection();
            } catch (SQLException none) {
                if (pool.isClosed()) {
                    throw new NightshiftException(
                            FailureKind.POSTGRES_UNAVAILABLE,
                            name + " are closed: it is no longer what it was",
                            null,
                            new Closed(none));
                }
                Refusal refusal = source.latest.get();
                if (refusal != null && refusal.at() - since >= 0) {
                    throw refusal.again();
                }
                if (System.nanoTime() - until >= 0) {
                    throw notInTime(none);
                }
            }
        }
    }

    private NightshiftException notInTime(SQLException none) {
        return pool.getHikariPoolMXBean().getActiveConnections() < LARGEST
                ? new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        name + ": none opened in time",
                        "see whether the server or the network hang",
                        none)
                : new NightshiftException(
                        FailureKind.RESOURCES_EXHAUSTED,
                        name + ": all " + LARGEST + " are in use",
                        "let fewer jobs work there at the same time",
                        none);
    }

    /** Says nothing about the node. */
    static final class Closed extends SQLException {
        private Closed(SQLException cause) {
            super(cause);
        }
    }

    /** Why the node did not let us in, and when by {@link System#nanoTime}. */
    private record Refusal(NightshiftException reason, long at) {

        /** Whoever throws it has a stack of its own. */
        NightshiftException again() {
            return new NightshiftException(reason.kind(), String.valueOf(reason.getMessage()), reason.hint(), reason);
        }
    }

    /** Takes no session back alive; the next loans get new ones. */
    void evict() {
        pool.getHikariPoolMXBean().softEvictConnections();
    }

    /** Cuts what is lent, too. */
    @Override
    public void close() {
        pool.close();
    }

    /** Opens what the pool keeps: straight to the server, as every session of ours. */
    private static final class Source implements DataSource {

        private final NodeSessions sessions;
        private final NodeAddress node;
        private final String database;
        private final AtomicReference<@Nullable Refusal> latest = new AtomicReference<>();

        private Source(NodeSessions sessions, NodeAddress node, String database) {
            this.sessions = sessions;
            this.node = node;
            this.database = database;
        }

        @Override
        public Connection getConnection() throws SQLException {
            try {
                return sessions.open(node, database, "pooled");
            } catch (NightshiftException refused) {
                latest.set(new Refusal(refused, System.nanoTime()));
                throw new SQLException(refused.getMessage(), "08001", refused);
            }
        }

        @Override
        public Connection getConnection(String username, String password) throws SQLException {
            throw new SQLFeatureNotSupportedException("the cluster's own user is the only one");
        }

        @Override
        public @Nullable PrintWriter getLogWriter() {
            return null;
        }

        @Override
        public void setLogWriter(@Nullable PrintWriter out) {
            // it writes nothing
        }

        @Override
        public void setLoginTimeout(int seconds) {
            // sessions have their own
        }

        @Override
        public int getLoginTimeout() {
            return 0;
        }

        @Override
        public Logger getParentLogger() throws SQLFeatureNotSupportedException {
            throw new SQLFeatureNotSupportedException("it logs nothing");
        }

        @Override
        public <T> T unwrap(Class<T> type) throws SQLException {
            throw new SQLException("wraps nothing");
        }

        @Override
        public boolean isWrapperFor(Class<?> type) {
            return false;
        }
    }
}
