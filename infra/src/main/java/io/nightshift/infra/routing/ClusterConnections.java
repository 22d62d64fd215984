package io.nightshift.infra.routing;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * Opens connections to the node of a cluster that an intent asks for. It looks at the nodes in the order of the
 * configuration each time; pools and a monitor that remembers come in front of it. Thread-safe.
 */
public final class ClusterConnections {

    private static final String CONNECT_SECONDS = "10";

    /** A node that hangs is one that does not answer. */
    private static final int OBSERVING_MILLIS = 10_000;

    /**
     * A node that answered.
     *
     * @param receives whether its WAL receiver runs; of a primary it means nothing
     */
    private record Candidate(
            NodeAddress node,
            SessionPath path,
            boolean inRecovery,
            boolean receives,
            SystemIdentifier system,
            Lsn location) {}

    private final ClusterConfig cluster;
    private final Passwords passwords;
    private final LoginFailures failures;

    public ClusterConnections(ClusterConfig cluster, Passwords passwords) {
        this.cluster = cluster;
        this.passwords = passwords;
        this.failures = new LoginFailures(cluster);
    }

    /** A session of its own in a database of the cluster, for whoever closes it. */
    public Connection direct(Intent intent, String database, String purpose) {
        return direct(node(intent), database, purpose);
    }

    /**
     * The same on a node that was chosen before. It leads straight to the server: poolers are refused, and proxies too
     * unless the cluster is said to be behind address translation.
     */
    public Connection direct(NodeAddress node, String database, String purpose) {
        return connect(node, database, purpose);
    }

    /** A connection that speaks the replication protocol. */
    public ReplicationConnection replication(Intent intent, String purpose) {
        return replication(node(intent), purpose);
    }

    /** The same to a node that was chosen before; it leads to the server that a session there leads to. */
    public ReplicationConnection replication(NodeAddress node, String purpose) {
        ReplicationConnection replication =
                ReplicationConnection.open(url(node, cluster.database()), properties(node, "replication"), purpose);
        try (Connection session = connect(node, cluster.database(), purpose)) {
            session.setNetworkTimeout(Runnable::run, OBSERVING_MILLIS);
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

    /** The node that an intent asks for now. Whoever needs several connections to one node keeps it. */
    public NodeAddress node(Intent intent) {
        if (intent instanceof Intent.RestoredCopy) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "cluster " + cluster.name() + " has no restored copy now",
                    "a restore test leaves one behind");
        }
        List<NightshiftException> unreachable = new ArrayList<>();
        List<Candidate> seen = new ArrayList<>();
        for (NodeAddress node : cluster.nodes()) {
            try {
                seen.add(observe(node));
            } catch (NightshiftException failed) {
                unreachable.add(failed);
            }
        }
        if (seen.isEmpty() && !unreachable.isEmpty()) {
            throw unreachable.get(0);
        }
        // Who names a pooler is told, whatever else the list holds: it would be needed on the day of a failover.
        seen.forEach(candidate -> requireStraightPath(candidate.node(), candidate.path()));
        requireOneSystem(seen);
        return choose(intent, seen).map(Candidate::node).orElseThrow(() -> none(intent, seen, unreachable));
    }

    private Optional<Candidate> choose(Intent intent, List<Candidate> seen) {
        List<Candidate> primaries =
                seen.stream().filter(candidate -> !candidate.inRecovery()).toList();
        if (primaries.size() > 1) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "cluster " + cluster.name() + " has " + primaries.size() + " nodes that claim to be its primary: "
                            + primaries.stream().map(Candidate::node).toList(),
                    "find out which one is right and shut the other down; nothing was done to either");
        }
        Optional<Candidate> primary = primaries.stream().findFirst();
        if (intent instanceof Intent.Standby standby) {
            return standby(seen, primary, standby.maxLag());
        }
        if (intent instanceof Intent.StandbyPreferred preferred) {
            return standby(seen, primary, preferred.maxLag()).or(() -> primary);
        }
        return primary;
    }

    /** Without the primary's location the lag is unknown, never 0. */
    private static Optional<Candidate> standby(List<Candidate> seen, Optional<Candidate> primary, DataSize maxLag) {
        return primary.flatMap(source -> seen.stream()
                .filter(candidate -> candidate.inRecovery() && candidate.receives())
                .filter(candidate -> source.location().minus(candidate.location()) <= maxLag.bytes())
                .findFirst());
    }

    private Candidate observe(NodeAddress node) {
        try (Connection connection = login(node, cluster.database(), "observe");
                Statement statement = connection.createStatement()) {
            connection.setNetworkTimeout(Runnable::run, OBSERVING_MILLIS);
            try (ResultSet row = statement.executeQuery("""
                    SELECT pg_is_in_recovery(),
                           EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL),
                           (SELECT system_identifier FROM pg_control_system()),
                           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END
                    """)) {
                row.next();
                return new Candidate(
                        node,
                        SessionPath.of(connection),
                        row.getBoolean(1),
                        row.getBoolean(2),
                        SystemIdentifier.parse(Long.toUnsignedString(row.getLong(3))),
                        Lsn.parse(row.getString(4)));
            }
        } catch (SQLException e) {
            throw SqlStates.failure("node " + node + " of cluster " + cluster.name() + " not observed", e);
        }
    }

    private Connection connect(NodeAddress node, String database, String purpose) {
        Connection connection = login(node, database, purpose);
        try {
            connection.setNetworkTimeout(Runnable::run, OBSERVING_MILLIS);
            requireStraightPath(node, SessionPath.of(connection));
            connection.setNetworkTimeout(Runnable::run, 0);
            return connection;
        } catch (SQLException | RuntimeException e) {
            closeQuietly(connection);
            throw e instanceof SQLException failed ? failures.of(node, database, failed) : (RuntimeException) e;
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

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException cut) {
            // what went wrong before is told
        }
    }

    private void requireStraightPath(NodeAddress node, SessionPath path) {
        path.pooler().ifPresent(evidence -> {
            throw failures.pooler(node, evidence, null);
        });
        if (!cluster.behindAddressTranslation()) {
            path.proxy().ifPresent(evidence -> {
                throw failures.proxy(node, evidence);
            });
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

    /** Nodes of two clusters under one name are a mistake that must not cost data. */
    private void requireOneSystem(List<Candidate> seen) {
        if (seen.stream().map(Candidate::system).distinct().count() > 1) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "nodes of cluster " + cluster.name() + " have different system identifiers: "
                            + seen.stream()
                                    .map(candidate -> candidate.node() + " has " + candidate.system())
                                    .collect(Collectors.joining(", ")),
                    "they are not one cluster; correct nodes in clusters/" + cluster.name() + ".yaml");
        }
    }

    /** What keeps a standby from being taken. */
    private static String whyNot(Intent intent, Candidate candidate, List<Candidate> seen) {
        if (!(intent instanceof Intent.Standby) || !candidate.inRecovery()) {
            return "";
        }
        if (!candidate.receives()) {
            return " without a running WAL receiver";
        }
        return seen.stream()
                .filter(other -> !other.inRecovery())
                .findFirst()
                .map(primary -> ", "
                        + new DataSize(Math.max(0, primary.location().minus(candidate.location()))).rounded()
                        + " behind")
                .orElse(", how far behind is not known without the primary");
    }

    private NightshiftException none(Intent intent, List<Candidate> seen, List<NightshiftException> failures) {
        String observed = seen.stream()
                .map(candidate -> candidate.node()
                        + (candidate.inRecovery() ? " is a standby at " : " is the primary at ")
                        + candidate.location()
                        + whyNot(intent, candidate, seen))
                .reduce((a, b) -> a + ", " + b)
                .orElse("no node answers");
        String others = failures.isEmpty() ? "" : "; " + failures.get(0).getMessage();
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                "cluster " + cluster.name() + " has no node that is a " + intent + ": " + observed + others,
                intent instanceof Intent.Standby
                        ? "let the standby catch up, raise max-lag, or take the primary; then run the job again"
                        : "start or promote a node, then run the job again");
    }
}
