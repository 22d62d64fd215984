package io.nightshift.jobs.wal;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.jobs.wal.ArchiveStream.Source;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where the archive ends, and what is done about WAL that a server has removed before it was archived. */
final class GapKeeper {

    private static final String FULL_BACKUP = "full-backup";

    private final RunContext run;
    private final ClusterStorages storages;
    private final Clock clock;
    private boolean hasLooked;
    private volatile boolean fullIsWanted;

    GapKeeper(RunContext run, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.storages = storages;
        this.clock = clock;
    }

    /** Whether this run has asked for a full backup that is queued when it ends. */
    boolean fullIsWanted() {
        return fullIsWanted;
    }

    /**
     * Where the archive goes on: behind what it holds on the server's way, and behind its gaps; in an empty one where the
     * slot keeps WAL from.
     *
     * @param removed what a server said when WAL that follows was not there any more; null when none did
     */
    Lsn end(Source source, ArchiveSlot slot, @Nullable NightshiftException removed) {
        List<WalGap> gaps = source.archive().gaps();
        Lsn flushed = source.identity().flushLsn();
        Lsn kept = Objects.requireNonNullElse(slot.restart(), flushed);
        Optional<Lsn> known = source.lineage().end(source.archive().coverage(), gaps);
        known.filter(flushed::isBefore).ifPresent(end -> {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "the archive of timeline " + source.lineage().present() + " reaches " + end + ", but "
                            + source.node().address() + " has written up to " + flushed + " only",
                    "that server is an older state of this cluster, started without a new timeline; nothing was archived"
                            + " from it");
        });
        askForOverdueFull(source, gaps);
        Lsn end = known.orElse(kept);
        return removed == null ? end : record(source, gaps, end, kept, removed);
    }

    private Lsn record(Source source, List<WalGap> gaps, Lsn from, Lsn kept, NightshiftException removed) {
        Lsn to = from.isBefore(source.segmentStart(kept))
                ? source.segmentStart(kept)
                : source.segmentStart(source.identity().flushLsn());
        if (!from.isBefore(to)) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    source.node().address() + " lacks WAL of its present segment: " + removed.getMessage(),
                    "see whether files were removed from its pg_wal",
                    removed);
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        boolean asks = FullBackupNeed.mayAsk(gaps, now);
        for (WalRange part : source.lineage().between(from, to)) {
            WalGap gap = new WalGap(
                    part.timeline(), part.start(), part.end(), String.valueOf(removed.getMessage()), now, asks);
            source.archive().record(gap);
            run.report(gap.finding(run.cluster()));
        }
        if (asks) {
            run.request(FULL_BACKUP, "WAL from " + from + " to " + to + " was removed before it was archived");
            fullIsWanted = true;
        }
        return to;
    }

    /** A gap whose full backup failed, or was not asked for because another one was, is not forgotten. */
    private void askForOverdueFull(Source source, List<WalGap> gaps) {
        if (hasLooked || gaps.isEmpty() || !FullBackupNeed.mayAsk(gaps, clock.instant())) {
            return;
        }
        hasLooked = true;
        List<BackupDocument> backups = new BackupCatalog(storages.forReading(run.cluster()))
                .backups(run.cluster()).stream()
                        .flatMap(backup -> backup.document().stream())
                        .filter(backup -> backup.systemIdentifier()
                                .equals(source.identity().systemIdentifier()))
                        .toList();
        if (FullBackupNeed.isOpen(gaps, backups)) {
            run.request(FULL_BACKUP, "no backup begins behind the last gap of the WAL archive");
        }
    }
}
