package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.routing.Intent;
import java.sql.Connection;

/** A cluster we look after: a step says where it works and how, and gets a connection that leads there. */
public final class ManagedCluster {

    private final ClusterConfig config;
    private final ClusterConnections connections;

    ManagedCluster(ClusterConfig config, Passwords passwords) {
        this.config = config;
        this.connections = new ClusterConnections(config, passwords);
    }

    public String name() {
        return config.name();
    }

    /** The node that the intent asks for now, for work that needs several connections to one server. */
    public ManagedNode node(Intent intent) {
        return new ManagedNode(connections, connections.node(intent), config.database());
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
}
