package io.nightshift.jobs.wal;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.SystemIdentity;
import io.nightshift.infra.replication.TimelineHistory;
import io.nightshift.infra.replication.WalStreamEnd;
import io.nightshift.infra.replication.WalStreamStart;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalArchiver;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalObject;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to the present primary, from where the archive ends until something ends it. While the archive is behind
 * what the slot keeps, the slot is left where it is: it would go back, and keep what was given up.
 */
final class ArchiveStream {

    private static final Logger LOG = LoggerFactory.getLogger(ArchiveStream.class);

    /** SQLSTATE undefined_file: the WAL asked for is not there any more. */
    static final String REMOVED = "58P01";

    private static final Duration SILENCE = Duration.ofSeconds(30);

    private final RunContext run;
    private final ManagedCluster cluster;
    private final ArchiveWatch watch;
    private final ArchiveReport report;
    private final Path folder;
    private final Clock clock;

    ArchiveStream(
            RunContext run,
            ManagedCluster cluster,
            ArchiveWatch watch,
            ArchiveReport report,
            Path folder,
            Clock clock) {
        this.run = run;
        this.cluster = cluster;
        this.watch = watch;
        this.report = report;
        this.folder = folder;
        this.clock = clock;
    }

    /** A server that is streamed from, and what is known of it and of its archive. */
    record Source(
            ManagedNode node,
            ReplicationConnection server,
            SystemIdentity identity,
            WalLineage lineage,
            WalArchive archive) {

        Lsn segmentStart(Lsn location) {
            return WalSegment.at(identity.timeline(), location, archive.segmentSize())
                    .start();
        }
    }

    /** Marks the one refusal that may pass by itself. */
    private static final class SlotInUse extends Exception {}

    static boolean isSlotInUse(NightshiftException failure) {
        return failure.getCause() instanceof SlotInUse;
    }

    /** Whether the server had removed WAL that was to be archived. */
    static boolean isRemoved(NightshiftException failure) {
        return ReplicationConnection.sqlState(failure).orElse("").equals(REMOVED);
    }

    /** The node to stream from; fails while there is none, and while it is not certain which it is. */
    static ManagedNode primary(ManagedCluster cluster) {
        ObservedCluster observed = cluster.observeNow();
        observed.conflict().ifPresent(conflict -> {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE, String.valueOf(conflict.getMessage()), conflict.hint(), conflict);
        });
        return cluster.node(Intent.PRIMARY);
    }

    static Source open(ManagedNode node, ReplicationConnection server, String cluster, StorageSet storages) {
        SystemIdentity identity = server.identifySystem();
        return new Source(
                node,
                server,
                identity,
                server.timelineHistory(identity.timeline())
                        .map(history -> WalLineage.of(identity.timeline(), history.content()))
                        .orElseGet(() -> WalLineage.of(identity.timeline())),
                new WalArchive(
                        storages,
                        new BackupPaths(cluster, server.version().major(), identity.systemIdentifier()),
                        DataSize.parse(server.show("wal_segment_size")).bytes()));
    }

    /**
     * Streams until the run wants no more.
     *
     * @param removed what a server said when WAL that follows the archive was not there any more; null when none did
     * @throws NightshiftException when something else ended the stream
     */
    void stream(StorageSet storages, @Nullable NightshiftException removed, GapKeeper gaps, BooleanSupplier goesOn) {
        ManagedNode node = primary(cluster);
        try (ReplicationConnection server = node.replication(run.purpose())) {
            Source source = open(node, server, cluster.name(), storages);
            storeHistories(source);
            ArchiveSlot slot = watch.ensure(node);
            requireFree(slot, node);
            Lsn end = gaps.end(source, slot, removed);
            new Run(source, goesOn).from(end);
        } finally {
            watch.streamsNoMore();
        }
    }

    private static void requireFree(ArchiveSlot seen, ManagedNode node) {
        ArchiveSlot.Slot slot = seen.slot();
        if (slot != null && slot.user() != null) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "the archive's slot of " + node.address() + " is in use by process " + slot.user()
                            + " of that server",
                    "another archiver of this installation works there: stop it, or wait until the server has noticed"
                            + " that it is gone",
                    new SlotInUse());
        }
    }

    /** Before a timeline's WAL, its history: without it nobody finds the way there. */
    private static void storeHistories(Source source) {
        if (source.lineage().branches().size() == 1) {
            return;
        }
        var stored = source.archive().coverage().histories();
        source.lineage().branches().stream()
                .map(WalLineage.Branch::timeline)
                .filter(timeline -> !stored.contains(timeline))
                .forEach(timeline -> storeHistory(source, timeline));
    }

    private static void storeHistory(Source source, Timeline timeline) {
        try {
            source.server()
                    .timelineHistory(timeline)
                    .map(TimelineHistory::content)
                    .ifPresent(content -> source.archive()
                            .store(new WalObject.History(timeline), () -> new ByteArrayInputStream(content)));
        } catch (NightshiftException e) {
            if (!isRemoved(e) || timeline.equals(source.identity().timeline())) {
                throw e;
            }
            LOG.warn("{} has no history of timeline {} any more", source.node().address(), timeline);
        }
    }

    /** The streams of one connection. */
    private final class Run {

        private final Source source;
        private final BooleanSupplier goesOn;

        Run(Source source, BooleanSupplier goesOn) {
            this.source = source;
            this.goesOn = () -> goesOn.getAsBoolean() && watch.agrees();
        }

        void from(Lsn end) {
            Timeline timeline = source.lineage().goingOnAt(end);
            Lsn start = source.segmentStart(end);
            while (true) {
                WalStreamEnd how = one(timeline, start);
                if (how instanceof WalStreamEnd.TimelineEnded next) {
                    LOG.info("timeline {} ends at {}, {} goes on", timeline, next.switchPoint(), next.next());
                    storeHistory(source, next.next());
                    timeline = next.next();
                    start = source.segmentStart(next.switchPoint());
                } else if (how instanceof WalStreamEnd.ServerStopped) {
                    throw new NightshiftException(
                            FailureKind.POSTGRES_UNAVAILABLE,
                            source.node().address() + " was shut down; all its WAL up to " + watch.durable()
                                    + " is archived",
                            "start it again, or promote a standby");
                } else if (!goesOn.getAsBoolean()) {
                    return;
                } else {
                    start = source.segmentStart(watch.durable());
                }
            }
        }

        private WalStreamEnd one(Timeline timeline, Lsn start) {
            Lsn kept = watch.ensure(source.node()).restart();
            Lsn slotFrom = kept == null ? source.identity().flushLsn() : source.segmentStart(kept);
            boolean behind = start.isBefore(slotFrom);
            report.streams(source, timeline, start);
            try (WalArchiver archiver = new WalArchiver(
                    source.archive(),
                    folder,
                    timeline,
                    start,
                    run.settings(WalArchiveSettings.class).storePartialEvery(),
                    () -> goesOn.getAsBoolean()
                            && (!behind || source.segmentStart(watch.durable()).isBefore(slotFrom)))) {
                watch.streams(new ArchiveWatch.Streaming(
                        source.node().address(), source.identity().systemIdentifier(), source.server(), archiver));
                try {
                    WalStreamEnd end = source.server()
                            .streamWal(
                                    new WalStreamStart(behind ? null : watch.slot(), start, timeline, SILENCE),
                                    archiver,
                                    clock);
                    archiver.finish();
                    return end;
                } catch (NightshiftException e) {
                    storeWhatArrived(archiver);
                    throw e;
                } finally {
                    report.streamed(archiver);
                    watch.streamsNoMore();
                }
            }
        }

        /** The server may be gone for good, and nobody else may have this. */
        private static void storeWhatArrived(WalArchiver archiver) {
            try {
                archiver.finish();
            } catch (NightshiftException e) {
                LOG.debug("what has arrived is not stored: {}", e.getMessage());
            }
        }
    }
}
