package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.ArchiveCompressor;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupLabels;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.ComparedArchives;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.SentIncrementals;
import io.nightshift.infra.backup.WritingMarker;
import io.nightshift.infra.load.Brake;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.BaseBackupOptions;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.SystemIdentity;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Lineage;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Timings;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.jobs.backup.DamagedPages.DamagedFile;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One try to stream a backup from a node, over a connection of its own: a server keeps what it was shown. What it has
 * written nobody sees yet.
 */
final class BackupAttempt {

    /** With these a server says that it cannot build on what it was shown. */
    private static final Set<String> UNBUILDABLE =
            Set.of(SqlStates.OBJECT_NOT_IN_PREREQUISITE_STATE, SqlStates.INTERNAL_ERROR);

    /** Of temporary files. */
    private static final String FOLDER = "backup";

    private final RunContext run;
    private final BackupType type;
    private final ManagedCluster cluster;
    private final ManagedNode node;
    private final ClusterStorages storages;
    private final WorkFolder folder;
    private final Clock clock;
    private boolean builds;
    private boolean showsParent;

    /** @param type a full is taken instead where no parent is found */
    BackupAttempt(
            RunContext run,
            BackupType type,
            ManagedCluster cluster,
            ManagedNode node,
            ClusterStorages storages,
            WorkFolder folder,
            Clock clock) {
        this.run = run;
        this.type = type;
        this.cluster = cluster;
        this.node = node;
        this.storages = storages;
        this.folder = folder;
        this.clock = clock;
    }

    /**
     * Streams it.
     *
     * @param objections gets why nothing could be built on a parent, or not on a newer one
     * @return empty when what was built on a parent is not sound
     */
    @SuppressWarnings("try") // the registration is for closing only
    Optional<BackupDocument> stream(Brake brake, List<String> objections) {
        try (ReplicationConnection server = node.replication(run.purpose());
                Cancellation.Registration freeing =
                        run.cancellation().onCancel(() -> server.cancel("run " + run.id() + " stops"))) {
            try {
                SystemIdentity identity = server.identifySystem();
                requirePresentTimeline(identity);
                Prepared prepared = prepare(server, identity, objections);
                try {
                    return stream(server, identity, prepared, brake, objections);
                } finally {
                    prepared.parent().ifPresent(Parent::close);
                }
            } finally {
                brake.report(run, "base backup");
            }
        } catch (RuntimeException e) {
            // A cancelled run ends as such, whatever the cut connection said.
            run.cancellation().check();
            if (isUnbuildable(e)) {
                objections.add(String.valueOf(e.getMessage()));
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Also one that streams may follow a primary that the cluster has left behind: nobody could restore on from there. */
    private void requirePresentTimeline(SystemIdentity identity) {
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

    /** Damage may be in what was made of a parent only; a full backup that is damaged too says so itself. */
    private boolean isUnbuildable(RuntimeException failed) {
        if (builds && failed instanceof NightshiftException damage && damage.kind() == FailureKind.DATA_DAMAGED) {
            return true;
        }
        return showsParent
                && (failed instanceof ParentBackup.Unusable
                        || ReplicationConnection.sqlState(failed)
                                .filter(UNBUILDABLE::contains)
                                .isPresent());
    }

    /**
     * What is known when the stream begins.
     *
     * @param parent that the server was shown
     */
    private record Prepared(SourceServer source, Optional<Parent> parent) {}

    /** What is read of the storages may take long: the session comes after it. */
    private Prepared prepare(ReplicationConnection server, SystemIdentity identity, List<String> objections) {
        Optional<Parent> parent = parent(server, identity, objections);
        boolean shown = false;
        try {
            Prepared prepared = ServerSession.ask(node, run, "settings of cluster " + run.cluster(), session -> {
                if (parent.isPresent()) {
                    parent.get().upload(server, session);
                }
                return new Prepared(SourceServer.of(session, run, server.version()), parent);
            });
            shown = true;
            return prepared;
        } finally {
            if (!shown) {
                parent.ifPresent(Parent::close);
            }
        }
    }

    private Optional<Parent> parent(ReplicationConnection server, SystemIdentity identity, List<String> objections) {
        if (!type.needsParent()) {
            return Optional.empty();
        }
        Parents.Found found = new Parents(run, type, storages, folder.of(FOLDER), clock).find(server, identity);
        found.reasons().stream().filter(reason -> !objections.contains(reason)).forEach(objections::add);
        if (found.parent().isEmpty()) {
            BackupReport.requireFullWanted(run, type, objections);
        }
        builds = found.parent().isPresent();
        showsParent = found.parent().filter(ParentBackup.class::isInstance).isPresent();
        return found.parent();
    }

    private Optional<BackupDocument> stream(
            ReplicationConnection server,
            SystemIdentity identity,
            Prepared prepared,
            Brake brake,
            List<String> objections) {
        BackupSettings settings = BackupSettings.of(run);
        SourceServer source = prepared.source();
        Optional<Parent> parent = prepared.parent();
        Instant startedAt = clock.instant();
        BackupPaths paths = Parents.paths(run, server, identity);
        BackupLabel label =
                new BackupLabels(clock, new SecureRandom()).next(parent.isPresent() ? type : BackupType.FULL);
        WritingMarker marker = new WritingMarker(
                run.lease().owner(),
                run.id(),
                run.lease().token(),
                startedAt,
                parent.map(builtOn -> builtOn.document().label()).orElse(null));
        try (ArchiveCompressor compressor =
                        new ArchiveCompressor(settings.compressionLevel(), settings.compressionThreads());
                NewBackup backup =
                        NewBackup.begin(storages.forWriting(run.cluster()), paths, label, marker, compressor)) {
            try (ComparedArchives compared = compared(server, parent, backup, settings)) {
                boolean changesAreSent = parent.isPresent() && compared == null;
                BackupWriter writer = new BackupWriter(
                        backup,
                        settings.manifestChecksum(),
                        changesAreSent,
                        compared,
                        run.progress(),
                        brake.pace(settings.floorRate(), run.progress()),
                        clock);
                // The server must keep the WAL of the whole backup; a temporary slot goes with this connection.
                server.createPhysicalSlot(slot(label), true, true);
                Instant askedAt = clock.instant();
                BackupEnd end =
                        server.baseBackup(options(label, settings, !source.hidesTablespaces(), changesAreSent), writer);
                WrittenBackup written = writer.finish(end);
                CrashPoint.reach("backup.after-stream");
                if (changesAreSent) {
                    parent.ifPresent(base -> requireSound(base, written.start(), writer.sent()));
                }
                BackupDocument document = written.document(
                        label,
                        parent.map(base -> base.document().label()).orElse(null),
                        paths,
                        source,
                        settings,
                        startedAt,
                        clock.instant(),
                        run);
                Timings.spent(Timings.Kind.NETWORK, writer.waits().server());
                StreamTimes times = new StreamTimes(askedAt, writer.startedAt(), document.endedAt(), writer.waits());
                BackupReport.streamed(run, document, times);
                BackupReport.parent(run, document.parent(), objections);
                if (compared != null) {
                    BackupReport.compared(run, compared);
                }
                reportSourceDamage(written);
                return Optional.of(document);
            } catch (RuntimeException | Error e) {
                backup.discard();
                if (source.inRecovery() && e instanceof NightshiftException failure) {
                    throw orPromoted(failure, server);
                }
                throw e;
            }
        }
    }

    private void requireSound(Parent parent, BackupStart start, SentIncrementals sent) {
        ServerSession.ask(
                        node,
                        run,
                        "WAL summaries of cluster " + run.cluster(),
                        session -> parent.objection(start, sent, session))
                .ifPresent(objection -> {
                    throw new ParentBackup.Unusable(objection);
                });
    }

    /** What finds the changed blocks, or makes it possible for the next backup; null where servers do. */
    private @Nullable ComparedArchives compared(
            ReplicationConnection server, Optional<Parent> parent, NewBackup backup, BackupSettings settings) {
        if (parent.isPresent() && parent.get() instanceof ComparedParent known) {
            return ComparedArchives.on(
                    known.blocks(), known.document().label(), backup, settings.manifestChecksum(), folder.of(FOLDER));
        }
        return Parents.compares(server)
                ? ComparedArchives.full(backup, settings.manifestChecksum(), folder.of(FOLDER))
                : null;
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

    private void reportSourceDamage(WrittenBackup written) {
        DamagedPages pages = written.damagedPages();
        List<String> paths = pages.files().stream().map(DamagedFile::path).toList();
        Map<String, DamagedRelation> relations = paths.isEmpty() ? Map.of() : new DamagedRelations(node, run).of(paths);
        new SourceDamageReport(run, pages, relations).report(written.end());
    }

    /** Never a name again: the server may still hold the slot of an attempt that was killed a moment ago. */
    private String slot(BackupLabel label) {
        return "nightshift_run_" + run.id() + "_" + label.suffix();
    }

    private static BaseBackupOptions options(
            BackupLabel label, BackupSettings settings, boolean tablespaceMap, boolean incremental) {
        return BaseBackupOptions.labelled("nightshift " + label)
                .checkpoint(settings.checkpoint())
                .wal(true)
                .tablespaceMap(tablespaceMap)
                .progress(true)
                .incremental(incremental)
                .maxRate(settings.maxRate() == null ? null : settings.maxRate().bytes())
                .manifest(settings.manifestChecksum())
                .idleLimit(settings.idleLimit())
                .build();
    }
}
