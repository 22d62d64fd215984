package io.nightshift.infra.routing;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.replication.ReplicationConnection;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;

/**
 * Opens sessions on the nodes of a cluster. Each leads straight to its server: poolers are refused, and proxies too unless
 * the cluster is said to be behind address translation. Passwords are read each time, so that a new one is found.
 * Thread-safe.
 */
final class NodeSessions {

    private static final String CONNECT_SECONDS = "10";

    /** A node that hangs is one that does not answer. */
    private static final int ANSWER_MILLIS = 10_000;

    private final ClusterConfig cluster;
    private final Passwords passwords;
    private final LoginFailures failures;

    NodeSessions(ClusterConfig cluster, Passwords passwords) {
        this.cluster = cluster;
        this.passwords = passwords;
        this.failures = new LoginFailures(cluster);
    }

    /** The same, by another role. */
    NodeSessions as(RuleLogin login) {
        return new NodeSessions(cluster.as(login), passwords);
    }

    ClusterConfig cluster() {
        return cluster;
    }

    /** A session for whoever closes it. */
    Connection open(NodeAddress node, String database, String purpose) {
        try {
            return straight(node, database, purpose);
        } catch (PathRefused refused) {
            throw refused.reason();
        }
    }

    /** The same; says apart that what answers is no server. */
    Connection straight(NodeAddress node, String database, String purpose) throws PathRefused {
        Connection connection = login(node, database, purpose);
        boolean straight = false;
        try {
            connection.setNetworkTimeout(Runnable::run, ANSWER_MILLIS);
            requireStraightPath(node, SessionPath.of(connection));
            connection.setNetworkTimeout(Runnable::run, 0);
            straight = true;
            return connection;
        } catch (SQLException e) {
            throw failures.of(node, database, e);
        } finally {
            if (!straight) {
                closeQuietly(connection);
            }
        }
    }

    /**
     * A connection that speaks the replication protocol, to the server that a session there leads to. All have one name,
     * so that a standby's name in {@code synchronous_standby_names} is never ours by accident.
     *
     * @param purpose of the session that finds out
     */
    ReplicationConnection replication(NodeAddress node, String purpose) {
        ReplicationConnection replication =
                ReplicationConnection.open(url(node, cluster.database()), properties(node, "replication"), "");
        try (Connection session = open(node, cluster.database(), purpose)) {
            session.setNetworkTimeout(Runnable::run, ANSWER_MILLIS);
            requireSameServer(node, replication, session);
            return replication;
        } catch (SQLException e) {
            replication.close();
            throw SqlStates.failure("node " + node + " of cluster " + cluster.name() + " not observed", e);
        } catch (RuntimeException e) {
            replication.close();
            throw e;
        }
    }

    private Connection login(NodeAddress node, String database, String purpose) {
        Properties named = properties(node, database);
        named.setProperty("ApplicationName", ReplicationConnection.APPLICATION_NAME + " " + purpose);
        try {
            return DriverManager.getConnection(url(node, database), named);
        } catch (SQLException e) {
            throw failures.of(node, database, e);
        }
    }

    static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException cut) {
            // what went wrong before is told
        }
    }

    private void requireStraightPath(NodeAddress node, SessionPath path) throws PathRefused {
        Optional<String> pooler = path.pooler();
        if (pooler.isPresent()) {
            throw new PathRefused(failures.pooler(node, pooler.get(), null));
        }
        Optional<String> proxy = cluster.behindAddressTranslation() ? Optional.empty() : path.proxy();
        if (proxy.isPresent()) {
            throw new PathRefused(failures.proxy(node, proxy.get()));
        }
    }

    /** Two connections through one address may end at two servers, and only plain SQL tells who is there. */
    private void requireSameServer(NodeAddress node, ReplicationConnection replication, Connection session)
            throws SQLException {
        try (PreparedStatement statement = session.prepareStatement(
                "SELECT FROM pg_stat_activity WHERE pid = ? AND backend_type = 'walsender' AND usename = current_user")) {
            statement.setInt(1, replication.backendPid());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    // One that was cut meanwhile says so itself.
                    replication.identifySystem();
                    throw failures.pooler(
                            node,
                            "announced process " + replication.backendPid()
                                    + " for a replication connection, and the server has no such WAL sender",
                            null);
                }
            }
        }
    }

    private static String url(NodeAddress node, String database) {
        return "jdbc:postgresql://" + node + "/" + URLEncoder.encode(database, StandardCharsets.UTF_8);
    }

    private Properties properties(NodeAddress node, String database) {
        Properties properties = new Properties();
        properties.setProperty("user", cluster.username());
        passwords.of(cluster, node, database).ifPresent(secret -> properties.setProperty("password", secret.reveal()));
        properties.setProperty("sslmode", cluster.sslmode().value());
        properties.setProperty("connectTimeout", CONNECT_SECONDS);
        properties.setProperty("loginTimeout", CONNECT_SECONDS);
        properties.setProperty("tcpKeepAlive", "true");
        Optional.ofNullable(cluster.sslrootcert())
                .ifPresent(path -> properties.setProperty("sslrootcert", path.toString()));
        Optional.ofNullable(cluster.sslcert()).ifPresent(path -> properties.setProperty("sslcert", path.toString()));
        Optional.ofNullable(cluster.sslkey()).ifPresent(path -> properties.setProperty("sslkey", path.toString()));
        return properties;
    }
}
