package io.nightshift.infra.config;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobType;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL cluster and how it is reached. Which node is the primary is observed, never configured.
 *
 * @param password null when it is left to {@link Passwords}
 * @param sslmode {@code prefer} when every node is on loopback, otherwise {@code verify-full}
 * @param behindAddressTranslation whether the nodes' own addresses may differ from those named here, as behind the port
 *     mapping of a container; otherwise what stands in between could lead to another server tomorrow
 * @param database where connections go that need some database
 * @param storages by name; a cluster file names at least one that is required
 * @param heavyRuns how many runs of heavy job types work on it at the same time; the others wait
 */
public record ClusterConfig(
        String name,
        List<NodeAddress> nodes,
        String username,
        @Nullable Secret password,
        SslMode sslmode,
        @Nullable Path sslrootcert,
        @Nullable Path sslcert,
        @Nullable Path sslkey,
        boolean behindAddressTranslation,
        String database,
        DatabaseSelection databases,
        Map<String, StorageDuty> storages,
        int heavyRuns,
        Map<String, String> labels) {

    /** What stands for the node of the embedded control database: only who has it open knows its port. */
    static final NodeAddress EMBEDDED_CONTROL_DATABASE =
            new NodeAddress(JobType.CONTROL_DATABASE, NodeAddress.DEFAULT_PORT);

    public ClusterConfig {
        var refusals = new Refusals()
                .when(nodes.isEmpty(), "nodes is empty; a cluster has at least one")
                .when(username.isEmpty(), "username is empty")
                .when(heavyRuns < 1, "heavy-runs is " + heavyRuns + "; accepted: 1 or more")
                .when(database.isEmpty(), "database is empty")
                .when(sslcert != null && sslkey == null, "sslcert needs its sslkey")
                .when(sslkey != null && sslcert == null, "sslkey needs its sslcert");
        Set<NodeAddress> seen = new HashSet<>();
        nodes.forEach(node -> refusals.when(!seen.add(node), "nodes names " + node + " twice"));
        refusals.throwIfAny();
    }

    /** Whether it is the embedded control database, of which the file does not know where it listens. */
    public boolean isEmbeddedControlDatabase() {
        return nodes.equals(List.of(EMBEDDED_CONTROL_DATABASE));
    }

    /** The same, reached there. */
    public ClusterConfig at(NodeAddress node, String user, Secret itsPassword) {
        return new ClusterConfig(
                name,
                List.of(node),
                user,
                itsPassword,
                sslmode,
                sslrootcert,
                sslcert,
                sslkey,
                behindAddressTranslation,
                database,
                databases,
                storages,
                heavyRuns,
                labels);
    }

    /** The same, entered by another role. */
    public ClusterConfig as(RuleLogin login) {
        return new ClusterConfig(
                name,
                nodes,
                login.username(),
                login.password(),
                sslmode,
                sslrootcert,
                sslcert,
                sslkey,
                behindAddressTranslation,
                database,
                databases,
                storages,
                heavyRuns,
                labels);
    }

    /** The failure of whoever asks for a cluster that there is not. */
    public static NightshiftException notConfigured(String name, Set<String> configured) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "cluster " + name + " is not configured",
                "clusters: " + String.join(", ", configured));
    }

    static Map<String, Object> defaults() {
        return Map.of(
                "behind-address-translation",
                false,
                "database",
                "postgres",
                "databases",
                DatabaseSelection.ALL,
                "heavy-runs",
                1,
                "labels",
                Map.of());
    }

    static SslMode defaultSslMode(List<NodeAddress> nodes) {
        return nodes.stream().allMatch(NodeAddress::isLoopback) ? SslMode.PREFER : SslMode.VERIFY_FULL;
    }

    /** Whether the cluster bears every one of these labels with this value. */
    boolean matches(Map<String, String> selector) {
        return labels.entrySet().containsAll(selector.entrySet());
    }
}
