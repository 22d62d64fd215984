package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.ArchiveCompressor;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupLabels;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.WritingMarker;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.load.Brake;
import io.nightshift.infra.load.WatchedNode;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BaseBackupOptions;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.SystemIdentity;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.Lineage;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.run.Timings;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.jobs.backup.DamagedPages.DamagedFile;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Streams a base backup, with the WAL it needs, into a new backup that nobody sees yet. A restart streams again only if
 * no backup of the run is waiting to be read back and published.
 */
final class StreamBaseBackupTasklet implements Tasklet {

    private static final Logger LOG = LoggerFactory.getLogger(StreamBaseBackupTasklet.class);

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;
    private final Clock clock;

    StreamBaseBackupTasklet(RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun() || WrittenBackup.find(run).isPresent()) {
            return RepeatStatus.FINISHED;
        }
        try (Source source = source()) {
            run.progress().begin("wait for the checkpoint", null, "");
            new SourceCheck(run, clock).requireUnlessChecked(source.node());
            stream(source.node());
        }
        return RepeatStatus.FINISHED;
    }

    /** A node, and our place on it. */
    private record Source(ManagedNode node, HeavyWork.Place place) implements AutoCloseable {
        @Override
        public void close() {
            place.close();
        }
    }

    /** Who has waited for a place finds another cluster than before: the node is chosen again where it fits no more. */
    private Source source() {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        Intent intent = run.settings(BackupSettings.class).intent();
        Lineage asked = cluster.observeNow().lineage();
        while (true) {
            cluster.requireNoConflict();
            ManagedNode node = cluster.node(intent);
            HeavyWork.Place place = node.heavyWork(run);
            boolean fits = false;
            try {
                fits = cluster.isStill(intent, node.address());
            } finally {
                if (!fits) {
                    place.close();
                }
            }
            if (fits) {
                sayIfPromoted(asked, cluster.known().lineage(), node);
                return new Source(node, place);
            }
            run.cancellation().check();
        }
    }

    private void sayIfPromoted(@Nullable Lineage asked, @Nullable Lineage now, ManagedNode node) {
        if (asked != null && now != null && asked.newest().compareTo(now.newest()) < 0) {
            run.report(new Finding(
                    "backup/promotion",
                    Severity.INFO,
                    "cluster " + run.cluster(),
                    "went from timeline " + asked.newest() + " to timeline " + now.newest()
                            + " while the run waited for its place: the backup is read from " + node.address(),
                    null));
        }
    }

    /** Also one that streams may follow a primary that the cluster has left behind: nobody could restore on from there. */
    private void requirePresentTimeline(ManagedNode node, SystemIdentity identity) {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        cluster.requireNoConflict();
        Lineage lineage = cluster.known().lineage();
        if (lineage != null && identity.timeline().compareTo(lineage.newest()) < 0) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "node " + node.address() + " of cluster " + run.cluster() + " is on timeline "
                            + identity.timeline() + ", which the cluster has left: timeline " + lineage.newest()
                            + " was seen",
                    "let it follow the present primary (pg_rewind, or make it anew), or set source: primary; then run the"
                            + " job again");
        }
    }

    @SuppressWarnings("try") // the registration is for closing only
    private void stream(ManagedNode node) {
        try (ReplicationConnection server = node.replication(run.purpose());
                Cancellation.Registration freeing =
                        run.cancellation().onCancel(() -> server.cancel("run " + run.id() + " stops"));
                Brake brake = brake(node)) {
            try {
                WrittenBackup.remember(run, stream(node, server, brake));
            } finally {
                brake.report(run, "base backup");
            }
        } catch (RuntimeException e) {
            // A cancelled run ends as such, whatever the cut connection said.
            run.cancellation().check();
            throw e;
        }
    }

    /** The primary says how far its standbys are, and the node that is read how busy it is. */
    private Brake brake(ManagedNode source) {
        Map<NodeAddress, ManagedNode> watched = new LinkedHashMap<>();
        if (run.settings(BackupSettings.class).source() != BackupSettings.Source.PRIMARY) {
            primary().ifPresent(primary -> watched.put(primary.address(), primary));
        }
        watched.put(source.address(), source);
        String purpose = run.purpose() + " load";
        return new Brake(
                run.settings(BackupSettings.class).yield(),
                watched.values().stream()
                        .map(node -> new WatchedNode(node.address().toString(), () -> node.direct(purpose)))
                        .toList(),
                run.cancellation(),
                clock);
    }

    /** A backup of a standby goes on without one. */
    private Optional<ManagedNode> primary() {
        try {
            return Optional.of(clusters.cluster(run.cluster()).node(Intent.PRIMARY));
        } catch (NightshiftException none) {
            LOG.warn("load of the primary of cluster {} not observed: {}", run.cluster(), none.getMessage());
            return Optional.empty();
        }
    }

    private BackupDocument stream(ManagedNode node, ReplicationConnection server, Brake brake) {
        BackupSettings settings = run.settings(BackupSettings.class);
        Instant startedAt = clock.instant();
        SystemIdentity identity = server.identifySystem();
        requirePresentTimeline(node, identity);
        SourceServer source = SourceServer.of(node, run, server.version());
        BackupPaths paths = new BackupPaths(run.cluster(), server.version().major(), identity.systemIdentifier());
        BackupLabel label = new BackupLabels(clock, new SecureRandom()).next(BackupType.FULL);
        WritingMarker marker =
                new WritingMarker(run.lease().owner(), run.id(), run.lease().token(), startedAt);
        try (ArchiveCompressor compressor =
                        new ArchiveCompressor(settings.compressionLevel(), settings.compressionThreads());
                NewBackup backup =
                        NewBackup.begin(storages.forWriting(run.cluster()), paths, label, marker, compressor)) {
            try {
                BackupWriter writer = new BackupWriter(
                        backup,
                        settings.manifestChecksum(),
                        run.progress(),
                        brake.pace(settings.floorRate(), run.progress()),
                        clock);
                // The server must keep the WAL of the whole backup; a temporary slot goes with this connection.
                server.createPhysicalSlot(slot(label), true, true);
                Instant askedAt = clock.instant();
                BackupEnd end = server.baseBackup(options(label, settings, !source.hidesTablespaces()), writer);
                WrittenBackup written = writer.finish(end);
                CrashPoint.reach("backup.after-stream");
                BackupDocument document =
                        written.document(label, paths, source, settings, startedAt, clock.instant(), run);
                Timings.spent(Timings.Kind.NETWORK, writer.waits().server());
                StreamTimes times = new StreamTimes(askedAt, writer.startedAt(), document.endedAt(), writer.waits());
                BackupReport.streamed(run, document, times);
                reportSourceDamage(node, written);
                return document;
            } catch (RuntimeException | Error e) {
                backup.discard();
                if (source.inRecovery() && e instanceof NightshiftException failure) {
                    throw orPromoted(failure, server);
                }
                throw e;
            }
        }
    }

    /** The server's words for it are translated, and its SQLSTATE has other meanings; its state tells. */
    private static NightshiftException orPromoted(NightshiftException failure, ReplicationConnection server) {
        try {
            if (!server.show("in_hot_standby").equals("off")) {
                return failure;
            }
        } catch (NightshiftException connectionIsOver) {
            return failure;
        }
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                String.valueOf(failure.getMessage()),
                "the standby was promoted while it was read, so this backup is worth nothing; run the job again",
                failure);
    }

    private void reportSourceDamage(ManagedNode node, WrittenBackup written) {
        DamagedPages pages = written.damagedPages();
        List<String> paths = pages.files().stream().map(DamagedFile::path).toList();
        Map<String, DamagedRelation> relations = paths.isEmpty() ? Map.of() : new DamagedRelations(node, run).of(paths);
        new SourceDamageReport(run, pages, relations).report(written.end());
    }

    /** Never a name again: the server may still hold the slot of an attempt that was killed a moment ago. */
    private String slot(BackupLabel label) {
        return "nightshift_run_" + run.id() + "_" + label.suffix();
    }

    private static BaseBackupOptions options(BackupLabel label, BackupSettings settings, boolean tablespaceMap) {
        return BaseBackupOptions.labelled("nightshift " + label)
                .checkpoint(settings.checkpoint())
                .wal(true)
                .tablespaceMap(tablespaceMap)
                .progress(true)
                .maxRate(settings.maxRate() == null ? null : settings.maxRate().bytes())
                .manifest(settings.manifestChecksum())
                .idleLimit(settings.idleLimit())
                .build();
    }
}
