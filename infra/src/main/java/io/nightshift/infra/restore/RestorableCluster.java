package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalPath;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A cluster as its storages alone show it: the backups and the WAL of one system identifier and major version. */
public final class RestorableCluster {

    private final String name;
    private final List<Storage> storages;
    private final List<StoredBackup> backups;
    private final StoredWal wal;

    private RestorableCluster(String name, List<Storage> storages, List<StoredBackup> backups, StoredWal wal) {
        this.name = name;
        this.storages = storages;
        this.backups = backups;
        this.wal = wal;
    }

    /**
     * The cluster of a backup, or of the newest one: after a pg_upgrade there are several. REFUSED if there is none that
     * can be restored.
     *
     * @param backups of one cluster
     * @param only null for the newest
     */
    public static RestorableCluster of(
            String name, List<Storage> storages, List<StoredBackup> backups, @Nullable StoredBackup only) {
        StoredBackup present = only != null
                ? only
                : restorable(backups)
                        .max(Comparator.comparing(backup -> document(backup).endedAt()))
                        .orElseThrow(() -> new NightshiftException(
                                FailureKind.REFUSED,
                                "cluster " + name + " has no backup that can be restored",
                                "nightshift backups --cluster " + name + " shows what there is"));
        BackupPaths paths = present.paths();
        long segmentSize = segmentSize(BackupCopies.of(present, storages));
        return new RestorableCluster(
                name,
                storages,
                backups.stream().filter(backup -> backup.paths().equals(paths)).toList(),
                StoredWal.of(storages, paths, segmentSize));
    }

    private static Stream<StoredBackup> restorable(List<StoredBackup> backups) {
        return backups.stream().filter(backup -> BackupChain.isComplete(backup, backups));
    }

    private static BackupDocument document(StoredBackup backup) {
        return backup.document().orElseThrow();
    }

    /** Bytes, as the control file of a restorable backup says it. */
    public static long segmentSize(BackupCopies copies) {
        var content = new ByteArrayOutputStream();
        new SingleFile(copies, DataDirectory.CONTROL_FILE).to(content, new Progress(), new Cancellation());
        return new ControlFile(0600, ByteBuffer.wrap(content.toByteArray())).walSegmentSize();
    }

    public StoredWal wal() {
        return wal;
    }

    public List<Storage> storages() {
        return storages;
    }

    /** The backups that a plan needs, oldest first, wherever they can be read. */
    public List<BackupCopies> chain(RestorePlan plan) {
        return plan.chain().links().stream()
                .map(link -> BackupCopies.of(link, storages))
                .toList();
    }

    /**
     * On disk at most, for a restore and its recovery: the cluster once, and the WAL that is fetched. Where a manifest cannot be
     * read it is all that the backups have; the restore will say so.
     */
    public long bytes(RestorePlan plan) {
        try {
            long ground = Ground.of(chain(plan)).bytesByTablespace().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            return plan.document().bytes() + ground + plan.walBytes();
        } catch (NightshiftException unreadable) {
            return plan.backupBytes() + plan.walBytes();
        }
    }

    /** See {@link RestorePlanner#plan}. */
    public RestorePlan plan(@Nullable StoredBackup only, RestoreTarget target, RestoreTimeline timeline) {
        return new RestorePlanner(name, backups, backup -> new BackupWal(BackupCopies.of(backup, storages)), wal)
                .plan(only, target, timeline);
    }

    /** To which times it can be restored, as far as listings show: nothing is read but histories. */
    public Restorability restorability() {
        List<Window> windows = new ArrayList<>();
        restorable(backups)
                .sorted(Comparator.comparing(backup -> document(backup).endLsn()))
                .forEach(backup -> window(document(backup)).ifPresent(window -> add(windows, window)));
        windows.sort(Comparator.comparing(Window::timeline).thenComparing(Window::from));
        return new Restorability(
                name,
                windows,
                wal.timelines().stream()
                        .filter(timeline -> lineage(timeline).isEmpty())
                        .toList(),
                Proofs.of(backups));
    }

    /** The newest proof of any backup but this one. */
    public Optional<Proof> provenBeside(BackupLabel label) {
        List<StoredBackup> others =
                backups.stream().filter(backup -> !backup.label().equals(label)).toList();
        return Optional.ofNullable(Proofs.of(others).proven());
    }

    /** Those of which a restore would find all it needs, as far as listings show, oldest first. */
    public List<StoredBackup> restorable() {
        return restorable(backups)
                .sorted(Comparator.comparing(backup -> document(backup).endedAt()))
                .toList();
    }

    private Optional<WalLineage> lineage(Timeline timeline) {
        try {
            return Optional.of(wal.lineage(timeline));
        } catch (NightshiftException lost) {
            return Optional.empty();
        }
    }

    /** Unless an older backup leads to all of it. */
    private static void add(List<Window> windows, Window next) {
        boolean isWithin = windows.stream()
                .anyMatch(window -> window.timeline().equals(next.timeline())
                        && next.from().compareTo(window.to()) <= 0
                        && next.to().equals(window.to()));
        if (!isWithin) {
            windows.add(next);
        }
    }

    /** On the newest timeline that the backup leads to; empty if it needs WAL that is not there. */
    private Optional<Window> window(BackupDocument document) {
        List<Timeline> newestFirst =
                wal.timelines().stream().sorted(Comparator.reverseOrder()).toList();
        for (Timeline timeline : newestFirst) {
            Optional<Window> window = window(document, timeline);
            if (window.isPresent()) {
                return window;
            }
        }
        Window alone = new Window(
                document.timeline(), document.endLsn(), document.endedAt(), document.endLsn(), document.endedAt());
        return document.wal() == BackupDocument.Wal.INCLUDED ? Optional.of(alone) : Optional.empty();
    }

    private Optional<Window> window(BackupDocument document, Timeline timeline) {
        return lineage(timeline).flatMap(lineage -> window(document, lineage));
    }

    private Optional<Window> window(BackupDocument document, WalLineage lineage) {
        boolean isOn = lineage.branches().stream()
                .anyMatch(branch -> branch.timeline().equals(document.timeline())
                        && (branch.end() == null || document.endLsn().compareTo(branch.end()) <= 0));
        boolean hasOwnWal = document.wal() == BackupDocument.Wal.INCLUDED;
        Lsn from = hasOwnWal ? document.endLsn() : document.startLsn();
        WalPath path = WalPath.of(lineage, wal.coverage(), wal.segmentSize(), from);
        boolean leadsOn = document.endLsn().isBefore(path.end());
        boolean isComplete = !hasOwnWal && document.endLsn().equals(path.end());
        if (!isOn || !(leadsOn || isComplete)) {
            return Optional.empty();
        }
        WalPath.Step last = path.steps().get(path.steps().size() - 1);
        Instant until = wal.storedAt(last.object()).orElse(document.endedAt());
        return Optional.of(new Window(lineage.present(), document.endLsn(), document.endedAt(), path.end(), until));
    }
}
