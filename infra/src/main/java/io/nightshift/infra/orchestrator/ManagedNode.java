package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;

/**
 * One node of a cluster, chosen for an intent and kept: all its connections lead to the same server, also when the
 * intent would choose another one by now.
 */
public final class ManagedNode {

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

    /** A session of its own in the cluster's maintenance database; close it. */
    public Connection direct(String purpose) {
        return connections.direct(address, cluster.database(), purpose);
    }

    /** The same in one of its databases. */
    public Connection direct(String database, String purpose) {
        return connections.direct(address, database, purpose);
    }

    /** A connection that speaks the replication protocol; close it. */
    public ReplicationConnection replication(String purpose) {
        return connections.replication(address, purpose);
    }
}
