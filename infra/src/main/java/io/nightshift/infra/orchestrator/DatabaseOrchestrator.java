package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Passwords;
import java.util.Map;
import java.util.TreeMap;

/** The one entry point to the managed clusters: no job opens a connection of its own. Thread-safe. */
public final class DatabaseOrchestrator {

    private final Map<String, ManagedCluster> clusters = new TreeMap<>();

    public DatabaseOrchestrator(Map<String, ClusterConfig> configured, Passwords passwords) {
        configured.forEach((name, config) -> clusters.put(name, new ManagedCluster(config, passwords)));
    }

    public ManagedCluster cluster(String name) {
        ManagedCluster cluster = clusters.get(name);
        if (cluster == null) {
            throw ClusterConfig.notConfigured(name, clusters.keySet());
        }
        return cluster;
    }
}
