package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.health.ClusterHealth;
import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.health.HealthSettings;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.routing.SqlWork;
import io.nightshift.infra.run.Cancellation;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A cluster we look after: a step says where it works and how, and gets a connection that leads there; it can ask what a
 * node is and can do, and how the cluster is.
 */
public final class ManagedCluster {

    private final ClusterConfig config;
    private final ClusterConnections connections;
    private final HeavyWork heavyWork;
    private final ClusterHealth health;
    private volatile @Nullable HealthReport lastLook;

    ManagedCluster(ClusterConfig config, Passwords passwords, Shared shared, Clock clock) {
        this.config = config;
        this.connections = new ClusterConnections(config, passwords, clock);
        this.heavyWork = shared.heavyWork();
        this.health = new ClusterHealth(connections, shared.readings(), clock);
    }

    public String name() {
        return config.name();
    }

    public ClusterConfig config() {
        return config;
    }

    /** What is known of its nodes without asking any. */
    public ObservedCluster known() {
        return connections.monitor().known();
    }

    /** How its nodes were some seconds ago at most. */
    public ObservedCluster observed() {
        return connections.monitor().observed();
    }

    /** How its nodes are now. */
    public ObservedCluster observeNow() {
        return connections.monitor().observeNow();
    }

    /**
     * Looks for what an operator should act on, which takes about as long as the slowest node.
     *
     * @param purpose of the sessions, such as {@code health} or {@code run 17}; seen in {@code pg_stat_activity}
     * @throws NightshiftException CANCELLED when that is asked for meanwhile; nothing else, whatever the nodes do
     */
    public HealthReport health(HealthSettings settings, String purpose, Cancellation cancellation) {
        HealthReport report = health.look(settings, purpose, cancellation);
        lastLook = report;
        return report;
    }

    /** What the last look of this process has shown. */
    public Optional<HealthReport> lastHealth() {
        return Optional.ofNullable(lastLook);
    }

    /** Refuses while it is not certain which node is the primary, or whether all nodes are one cluster. */
    public void requireNoConflict() {
        observeNow().conflict().ifPresent(conflict -> {
            throw conflict;
        });
    }

    /** The node that the intent asks for now, for work that needs several connections to one server. */
    public ManagedNode node(Intent intent) {
        return node(connections.node(intent));
    }

    /** Whether the intent may go on being worked on this node, now that time has passed; refuses in a conflict. */
    public boolean isStill(Intent intent, NodeAddress node) {
        ObservedCluster now = observeNow();
        now.conflict().ifPresent(conflict -> {
            throw conflict;
        });
        return now.isFit(intent, node);
    }

    /** A node of the configuration, whatever it is at present. */
    public ManagedNode node(NodeAddress address) {
        return new ManagedNode(config, connections, address, heavyWork);
    }

    /** Reads in a transaction over a pooled session, on another node when one goes; done again for ten seconds at most. */
    public <T> T read(Intent intent, String database, String purpose, SqlWork<T> work) {
        return connections.pools().read(intent, database, purpose, work);
    }

    /** Writes in a transaction over a pooled session of the primary; done again while nothing can have been committed. */
    public <T> T write(String database, String purpose, SqlWork<T> work) {
        return connections.pools().write(database, purpose, work);
    }

    /** A session of its own in the cluster's maintenance database; close it. */
    public Connection direct(Intent intent, String purpose) {
        return connections.direct(intent, config.database(), purpose);
    }

    /** The same in one of its databases. */
    public Connection direct(Intent intent, String database, String purpose) {
        return connections.direct(intent, database, purpose);
    }

    /** A connection that speaks the replication protocol; close it. */
    public ReplicationConnection replication(Intent intent, String purpose) {
        return connections.replication(intent, purpose);
    }

    /** How work of ours gets on with a node: {@code closed}, {@code open} (left alone), {@code half-open}. */
    public String breaker(NodeAddress node) {
        return connections.pools().breaker(node);
    }

    /** Pooled sessions that work on a node now, or are waited for. */
    public int lent(NodeAddress node) {
        return connections.pools().lent(node);
    }

    void watch() {
        connections.monitor().watch();
    }

    void close(Duration limit) {
        connections.close(limit);
    }
}
