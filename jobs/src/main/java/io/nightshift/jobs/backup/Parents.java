package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.SystemIdentity;
import io.nightshift.infra.replication.TimelineHistory;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.WalLineage;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/** Looks for the backup that a new one can build on: what the server is, and what the storages have. */
final class Parents {

    /** From this version on servers send changed blocks; of older ones all blocks are compared here. */
    static final int SENDS_CHANGES = 17;

    private final RunContext run;
    private final BackupType type;
    private final ClusterStorages storages;
    private final Path folder;
    private final Clock clock;

    /** @param folder for temporary files */
    Parents(RunContext run, BackupType type, ClusterStorages storages, Path folder, Clock clock) {
        this.run = run;
        this.type = type;
        this.storages = storages;
        this.folder = folder;
        this.clock = clock;
    }

    /** What was found: a parent, or why there is none. */
    record Found(Optional<Parent> parent, List<String> reasons) {}

    /** Which backup it would be, as far as listings show. */
    ParentChoice choose(ReplicationConnection server, SystemIdentity identity) {
        return lack(server)
                .map(reason -> new ParentChoice(null, List.of(reason)))
                .orElseGet(() -> look(server, identity).choose());
    }

    Found find(ReplicationConnection server, SystemIdentity identity) {
        Optional<String> lack = lack(server);
        if (lack.isPresent()) {
            return none(lack.get());
        }
        Look look = look(server, identity);
        if (!sends(server)) {
            run.progress().begin("read the block digests", null, "");
            return new ComparedParents(
                            look.wanted(), look.backups(), look.settings(), look.asked(), folder, run.cancellation())
                    .find();
        }
        ParentChoice choice = look.choose();
        if (choice.parent() == null) {
            return new Found(Optional.empty(), choice.reasons());
        }
        try {
            return new Found(
                    Optional.of(
                            parent(choice.parent(), look.asked(), look.wanted().lineage())),
                    choice.reasons());
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.DATA_DAMAGED) {
                throw failed;
            }
            return none(String.valueOf(failed.getMessage()));
        }
    }

    /** What the choice is made from. */
    private record Look(
            ParentChoice.Wanted wanted,
            List<StoredBackup> backups,
            ChainedBackupSettings settings,
            List<Storage> asked) {

        ParentChoice choose() {
            return ParentChoice.of(wanted, backups, settings);
        }
    }

    private Look look(ReplicationConnection server, SystemIdentity identity) {
        BackupPaths paths = paths(run, server, identity);
        List<Storage> asked = storages.forReading(run.cluster());
        return new Look(
                new ParentChoice.Wanted(
                        type,
                        lineage(server, identity.timeline()),
                        server.show("data_checksums"),
                        storages.required(run.cluster()),
                        clock.instant()),
                new BackupCatalog(asked)
                        .backups(run.cluster()).stream()
                                .filter(backup -> backup.paths().equals(paths))
                                .toList(),
                run.settings(ChainedBackupSettings.class),
                asked);
    }

    /** Why the server can have no incremental backups. */
    private static Optional<String> lack(ReplicationConnection server) {
        if (sends(server) && !server.show("summarize_wal").equals("on")) {
            return Optional.of("summarize_wal is off: ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf()");
        }
        return hasUsualBlocks(server)
                ? Optional.empty()
                : Optional.of("the server was built with blocks or segments of another size");
    }

    private static boolean sends(ReplicationConnection server) {
        return server.version().major() >= SENDS_CHANGES;
    }

    /** Where the backups of this server lie. */
    static BackupPaths paths(RunContext run, ReplicationConnection server, SystemIdentity identity) {
        return new BackupPaths(run.cluster(), server.version().major(), identity.systemIdentifier());
    }

    /** Whether changed blocks can be told at all. */
    private static boolean hasUsualBlocks(ReplicationConnection server) {
        return server.show("block_size").equals("8192")
                && server.show("segment_size").equals("1GB");
    }

    /** Whether we compare all blocks ourselves, and therefore keep their digests with each backup. */
    static boolean compares(ReplicationConnection server) {
        return !sends(server) && hasUsualBlocks(server);
    }

    private static Parent parent(StoredBackup chosen, List<Storage> asked, WalLineage lineage) {
        BackupCopies copies = BackupCopies.of(chosen, asked);
        return new ParentBackup(copies.document(), copies.manifest(), lineage);
    }

    private static Found none(String reason) {
        return new Found(Optional.empty(), List.of(reason));
    }

    private static WalLineage lineage(ReplicationConnection server, Timeline timeline) {
        return server.timelineHistory(timeline)
                .map(TimelineHistory::content)
                .map(history -> WalLineage.of(timeline, history))
                .orElse(WalLineage.of(timeline));
    }
}
