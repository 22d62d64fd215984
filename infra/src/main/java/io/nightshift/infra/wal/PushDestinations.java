package io.nightshift.infra.wal;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.storage.ClusterStorages;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The archives of the configured clusters, as their primaries say which they are; asked once, and after a pg_upgrade. */
public final class PushDestinations implements WalPushServer.Destinations {

    private static final String PURPOSE = "wal push";

    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;
    private final Map<String, WalPushServer.Destination> known = new ConcurrentHashMap<>();

    public PushDestinations(DatabaseOrchestrator clusters, ClusterStorages storages) {
        this.clusters = clusters;
        this.storages = storages;
    }

    @Override
    public WalPushServer.Destination of(String name) {
        ManagedCluster cluster = clusters.cluster(name);
        SystemIdentifier now = cluster.observed()
                .primary()
                .map(Answered::system)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        "cluster " + name + " has no primary that says which system identifier it has",
                        "nightshift health --cluster " + name));
        WalPushServer.Destination before = known.get(name);
        if (before != null && before.systemIdentifier().equals(now)) {
            return before;
        }
        WalPushServer.Destination found = destination(cluster, now);
        known.put(name, found);
        return found;
    }

    private WalPushServer.Destination destination(ManagedCluster cluster, SystemIdentifier system) {
        int major = cluster.observed().primary().orElseThrow().version().major();
        long segmentSize = cluster.read(Intent.PRIMARY, cluster.config().database(), PURPOSE, connection -> {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'")) {
                row.next();
                return row.getLong(1);
            }
        });
        return new WalPushServer.Destination(
                new WalArchive(
                        storages.forWriting(cluster.name()),
                        new BackupPaths(cluster.name(), major, system),
                        segmentSize),
                major,
                system);
    }
}
