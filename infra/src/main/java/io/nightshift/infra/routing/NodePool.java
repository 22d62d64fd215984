package io.nightshift.infra.routing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Sessions in one database of one node, lent and taken back. It holds none while nobody borrows, and belongs to the part
 * that the node had when it was made: as primary, or as standby. Its size bounds what we do there at the same time.
 */
final class NodePool implements AutoCloseable {

    private static final int LARGEST = 4;
    private static final Duration WAIT = Duration.ofSeconds(2);
    private static final Duration IDLE = Duration.ofSeconds(30);

    private final String part;
    private final HikariDataSource pool;
    private final AtomicInteger lent = new AtomicInteger();

    /** @param part as {@link NodeObservation.Answered#part()} says */
    NodePool(NodeSessions sessions, NodeAddress node, String database, String part) {
        this.part = part;
        HikariConfig config = new HikariConfig();
        config.setPoolName(sessions.cluster().name() + " " + node + " " + database);
        config.setDataSource(new Source(sessions, node, database));
        config.setMaximumPoolSize(LARGEST);
        config.setMinimumIdle(0);
        config.setIdleTimeout(IDLE.toMillis());
        config.setConnectionTimeout(WAIT.toMillis());
        config.setValidationTimeout(WAIT.toMillis());
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
        T with(Connection connection) throws SQLException;
    }

    /**
     * Lends a session under this name. A server that says nothing for the limit is taken for gone.
     *
     * @throws SQLException of the work, or because there is no session
     */
    <T> T lend(String purpose, Duration silence, Loan<T> loan) throws SQLException {
        lent.incrementAndGet();
        try (Connection connection = pool.getConnection()) {
            connection.setNetworkTimeout(Runnable::run, Math.toIntExact(Math.max(1, silence.toMillis())));
            connection.setClientInfo("ApplicationName", ReplicationConnection.APPLICATION_NAME + " " + purpose);
            return loan.with(connection);
        } finally {
            lent.decrementAndGet();
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
    private record Source(NodeSessions sessions, NodeAddress node, String database) implements DataSource {

        @Override
        public Connection getConnection() throws SQLException {
            try {
                return sessions.open(node, database, "pooled");
            } catch (NightshiftException refused) {
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
