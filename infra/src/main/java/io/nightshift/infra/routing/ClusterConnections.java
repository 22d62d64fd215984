package io.nightshift.infra.routing;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.replication.ReplicationConnection;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The ways to a cluster: what is known of its nodes, sessions of one's own, replication connections, and pooled sessions.
 * Nothing is connected before somebody asks. Thread-safe.
 */
public final class ClusterConnections implements AutoCloseable {

    private final ClusterConfig cluster;
    private final NodeSessions sessions;
    private final NodeMonitor monitor;
    private final RoutingPools pools;
    private final NodeFacts facts;

    public ClusterConnections(ClusterConfig cluster, Passwords passwords, Clock clock) {
        this.cluster = cluster;
        this.sessions = new NodeSessions(cluster, passwords);
        this.monitor = new NodeMonitor(sessions, clock);
        this.pools = new RoutingPools(sessions, monitor);
        this.facts = new NodeFacts(monitor, clock);
    }

    public NodeMonitor monitor() {
        return monitor;
    }

    public RoutingPools pools() {
        return pools;
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
        return pools.noted(node, () -> sessions.open(node, database, purpose));
    }

    /** The same by another role than the cluster's own. */
    public Connection direct(NodeAddress node, String database, String purpose, RuleLogin login) {
        return pools.noted(node, () -> sessions.as(login).open(node, database, purpose));
    }

    /** A connection that speaks the replication protocol. */
    public ReplicationConnection replication(Intent intent, String purpose) {
        return replication(node(intent), purpose);
    }

    /** The same to a node that was chosen before; it leads to the server that a session there leads to. */
    public ReplicationConnection replication(NodeAddress node, String purpose) {
        return pools.noted(node, () -> sessions.replication(node, purpose));
    }

    /** What is known of a node's server and of our rights there; asked over a session of its own unless it is fresh. */
    public ServerFacts facts(NodeAddress node, String database, String purpose) {
        return facts.of(node, database, () -> direct(node, database, purpose));
    }

    /** The same, asked over this session now. */
    public ServerFacts facts(NodeAddress node, Connection session) throws SQLException {
        return facts.ask(node, session);
    }

    /** What was found out in the present part of the node's life, without asking. */
    public Optional<ServerFacts> knownFacts(NodeAddress node, String database) {
        return facts.known(node, database);
    }

    /**
     * The node that an intent asks for now, all nodes asked. Whoever needs several connections to one node keeps it.
     */
    public NodeAddress node(Intent intent) {
        return monitor.observeNow()
                .choose(intent, pools::burden, ThreadLocalRandom.current())
                .node();
    }

    public ClusterConfig cluster() {
        return cluster;
    }

    /** Waits for pooled work, up to the limit, then ends everything but the sessions of others. */
    public void close(Duration limit) {
        pools.close(limit);
        monitor.close();
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }
}
