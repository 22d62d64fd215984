package io.nightshift.infra.health;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** All checks there are, in the order in which reports name them. */
public final class HealthChecks {

    static final List<ClusterCheck> OF_CLUSTER =
            List.of(new ReachabilityCheck(), new RolesCheck(), new SystemIdentifierCheck(), new TimelineCheck());

    static final List<SqlCheck> BY_SQL = List.of(
            new WalReceiverCheck(),
            new ReplicationLagCheck(),
            new ReplicationDelayCheck(),
            new ReplayPausedCheck(),
            new SynchronousStandbysCheck(),
            new ReplicationSlotsCheck(),
            new WalArchivingCheck(),
            new ArchiveBacklogCheck(),
            new WalDirectoryCheck(),
            new ConnectionsCheck(),
            new BlockersCheck(),
            new LongTransactionsCheck(),
            new IdleInTransactionCheck(),
            new PreparedTransactionsCheck(),
            new XminHorizonCheck(),
            new WraparoundCheck(),
            new AutovacuumCheck(),
            new CheckpointsCheck(),
            new CacheHitsCheck(),
            new TempFilesCheck(),
            new DeadlocksCheck(),
            new DataChecksumsCheck(),
            new ChecksumFailuresCheck(),
            new SettingsCheck(),
            new PendingRestartCheck(),
            new StatisticsLostCheck(),
            new VersionCheck(KnownReleases.NOW),
            new ClockCheck(),
            new DeadTuplesCheck(),
            new AutovacuumTablesCheck(),
            new SequencesCheck(),
            new InvalidIndexesCheck(),
            new ConstraintsCheck(),
            new TriggersCheck(),
            new ExtensionsCheck(),
            new CollationsCheck(),
            new SubscriptionsCheck());

    private HealthChecks() {}

    public static List<HealthCheck> all() {
        return Stream.<HealthCheck>concat(OF_CLUSTER.stream(), BY_SQL.stream()).toList();
    }

    public static Set<String> names() {
        return all().stream().map(HealthCheck::name).collect(Collectors.toCollection(LinkedHashSet::new));
    }
}
