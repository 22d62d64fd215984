package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.SentIncrementals;
import io.nightshift.infra.incremental.BlockChanges;
import io.nightshift.infra.incremental.TruncationGuard;
import io.nightshift.infra.incremental.WalSummaries;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.wal.WalLineage;
import java.sql.Connection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The backup that a new one builds on. The server is shown only what it can be trusted with, and what it sends is checked. */
record ParentBackup(BackupDocument document, BackupManifest manifest, WalLineage lineage) implements Parent {

    /** Summaries that leave a hole, that the role may not read, or that were removed or damaged: a full backup needs none. */
    private static final Set<FailureKind> UNUSABLE =
            Set.of(FailureKind.REFUSED, FailureKind.CONFIGURATION, FailureKind.DATA_DAMAGED);

    /** Why nothing can be built on it, or what was built is not sound. */
    static final class Unusable extends RuntimeException {

        private static final long serialVersionUID = 1;

        Unusable(String fact) {
            super(fact);
        }
    }

    /** Shows the server the parent, without the files of which it must not send changed blocks only. */
    @Override
    public void upload(ReplicationConnection server, Connection session) {
        BlockChanges truncations =
                read(() -> WalSummaries.truncations(session, lineage.between(document.startLsn(), Lsn.LAST)));
        var guard = new TruncationGuard(truncations);
        BackupManifest shown = manifest.only(file -> guard.mayShow(file.path()));
        server.uploadManifest(shown::writeTo);
    }

    /** What is wrong with the backup that the server has made of it; empty if nothing is. */
    @Override
    public Optional<String> objection(BackupStart start, SentIncrementals sent, Connection session) {
        List<String> label = sent.label().lines().toList();
        for (String from :
                List.of("INCREMENTAL FROM LSN: " + document.startLsn(), "INCREMENTAL FROM TLI: " + firstTimeline())) {
            if (!label.contains(from)) {
                return Optional.of(
                        "its backup_label does not say \"" + from + "\": the server has built on another backup");
            }
        }
        if (!start.timeline().equals(lineage.present())) {
            return Optional.of("the server went from timeline " + lineage.present() + " to timeline " + start.timeline()
                    + " while it was asked");
        }
        BlockChanges changes =
                read(() -> WalSummaries.changes(session, lineage.between(document.startLsn(), start.lsn())));
        return new TruncationGuard(changes).objection(sent.headers());
    }

    /** A backup of a standby may have seen a promotion. */
    private Timeline firstTimeline() {
        return manifest.walRanges().stream()
                .min(Comparator.comparing(WalRange::start))
                .map(WalRange::timeline)
                .orElse(document.timeline());
    }

    @Override
    public void close() {
        // All of it is in memory.
    }

    private static BlockChanges read(Supplier<BlockChanges> summaries) {
        try {
            return summaries.get();
        } catch (NightshiftException failed) {
            throw UNUSABLE.contains(failed.kind()) ? new Unusable(String.valueOf(failed.getMessage())) : failed;
        }
    }
}
