package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.routing.ClusterConnections;
import java.sql.Connection;

/**
 * One node of a cluster, chosen for an intent and kept: all its connections lead to the same server, also when the
 * intent would choose another one by now.
 */
public final class ManagedNode {

    private final ClusterConnections connections;
    private final NodeAddress address;
    private final String database;

    ManagedNode(ClusterConnections connections, NodeAddress address, String database) {
        this.connections = connections;
        this.address = address;
        this.database = database;
    }

    public NodeAddress address() {
        return address;
    }

    /** A session of its own in the cluster's maintenance database; close it. */
    public Connection direct(String purpose) {
        return connections.direct(address, database, purpose);
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
