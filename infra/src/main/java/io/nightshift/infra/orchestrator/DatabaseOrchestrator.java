package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Passwords;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The one entry point to the managed clusters: ways to their nodes, what those are and can do, and how they are. No job
 * opens a connection of its own. It connects to nothing before
 * somebody asks, so that it starts while clusters are down. Thread-safe.
 */
public final class DatabaseOrchestrator implements AutoCloseable {

    private static final Duration LEAVE = Duration.ofSeconds(5);

    private final Map<String, ManagedCluster> clusters = new TreeMap<>();

    /** For a process that works alone. */
    public DatabaseOrchestrator(Map<String, ClusterConfig> configured, Passwords passwords, Clock clock) {
        this(configured, passwords, Shared.withNobody(), clock);
    }

    public DatabaseOrchestrator(
            Map<String, ClusterConfig> configured, Passwords passwords, Shared shared, Clock clock) {
        configured.forEach((name, config) -> clusters.put(name, new ManagedCluster(config, passwords, shared, clock)));
    }

    public ManagedCluster cluster(String name) {
        ManagedCluster cluster = clusters.get(name);
        if (cluster == null) {
            throw ClusterConfig.notConfigured(name, clusters.keySet());
        }
        return cluster;
    }

    public Collection<ManagedCluster> clusters() {
        return List.copyOf(clusters.values());
    }

    /** Keeps an eye on every cluster from now on, also while no work asks for it. */
    public void watch() {
        clusters.values().forEach(ManagedCluster::watch);
    }

    /** Lends nothing any more, waits for what is lent, all clusters together no longer than the limit, and ends it. */
    public void close(Duration limit) {
        long until = System.nanoTime() + limit.toNanos();
        clusters.values().forEach(cluster -> cluster.close(Duration.ofNanos(Math.max(0, until - System.nanoTime()))));
    }

    /** The same, a few seconds long. */
    @Override
    public void close() {
        close(LEAVE);
    }
}
