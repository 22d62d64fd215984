package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node of a cluster, chosen for an intent and kept: all its connections lead to the same server, also when the
 * intent would choose another one by now.
 */
public final class ManagedNode {

    private static final Logger LOG = LoggerFactory.getLogger(ManagedNode.class);

    private final ClusterConfig cluster;
    private final ClusterConnections connections;
    private final NodeAddress address;
    private final HeavyWork heavyWork;

    ManagedNode(ClusterConfig cluster, ClusterConnections connections, NodeAddress address, HeavyWork heavyWork) {
        this.cluster = cluster;
        this.connections = connections;
        this.address = address;
        this.heavyWork = heavyWork;
    }

    public NodeAddress address() {
        return address;
    }

    /**
     * Takes one of the node's places for heavy work, as many as {@code heavy-runs} of its cluster says, of all Nightshift
     * nodes; close it. Waits, visibly in the run's progress, while other runs have them.
     */
    public HeavyWork.Place heavyWork(RunContext run) {
        return heavyWork.take(cluster.name(), address, cluster.heavyRuns(), run);
    }

    /**
     * What its server is, and what our role may do in the cluster's maintenance database. Asked once in a part of the
     * node's life, so again after a restart, a reload, a promotion or a lost connection; and after a minute, because nothing
     * tells of new extensions and grants.
     */
    public ServerFacts facts(String purpose) {
        return facts(cluster.database(), purpose);
    }

    /** The same seen from one of its databases, which has extensions and grants of its own. */
    public ServerFacts facts(String database, String purpose) {
        return connections.facts(address, database, purpose);
    }

    /** The same, asked now over a session of ours there. */
    public ServerFacts facts(Connection session) throws SQLException {
        return connections.facts(address, session);
    }

    /** What is known of it in the maintenance database, without asking; empty unless it was found out in this part of its life. */
    public Optional<ServerFacts> knownFacts() {
        return connections.knownFacts(address, cluster.database());
    }

    /** A session of its own in the cluster's maintenance database; close it. */
    public Connection direct(String purpose) {
        return connections.direct(address, cluster.database(), purpose);
    }

    /** The same in one of its databases. */
    public Connection direct(String database, String purpose) {
        return connections.direct(address, database, purpose);
    }

    /**
     * The same for whoever asks several of them: one that lets nobody in, such as by a trigger that hangs, is REFUSED as long as
     * the maintenance database does.
     */
    public Connection directToOneOf(String database, String purpose) {
        try {
            return direct(database, purpose);
        } catch (NightshiftException unavailable) {
            if (unavailable.kind() != FailureKind.POSTGRES_UNAVAILABLE || database.equals(cluster.database())) {
                throw unavailable;
            }
            requireAnswer(purpose);
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    String.valueOf(unavailable.getMessage()),
                    "database " + cluster.database()
                            + " lets us in: see what in this one does not, such as a trigger ON login",
                    unavailable);
        }
    }

    private void requireAnswer(String purpose) {
        try {
            direct(purpose).close();
        } catch (SQLException over) {
            LOG.debug("session not closed: {}", over.getMessage());
        }
    }

    /** The same by another role than the cluster's own. */
    public Connection direct(String database, String purpose, RuleLogin login) {
        return connections.direct(address, database, purpose, login);
    }

    /** A connection that speaks the replication protocol; close it. */
    public ReplicationConnection replication(String purpose) {
        return connections.replication(address, purpose);
    }
}
