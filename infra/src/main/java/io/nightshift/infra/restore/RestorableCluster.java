package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupChains;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability.Window;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalEnds;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalPath;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
        var chains = new BackupChains(backups);
        return backups.stream().filter(chains::isComplete);
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

    /**
     * From when on retention deletes what a plan needs, if nobody pins it; empty if it keeps all of that, or if a storage does
     * not say.
     */
    public Optional<Instant> deletedFrom(RestorePlan plan, Instant now) {
        RetentionPast past = retention();
        BackupPaths system = plan.document().paths();
        Set<BackupLabel> pinned = new BackupChains(backups).pinned(now);
        Stream<Instant> links = plan.chain().links().stream()
                .filter(link -> !pinned.contains(link.label()))
                .flatMap(link -> past.deletedFrom(link.label()).stream());
        Stream<Instant> segments = plan.wal().steps().stream()
                .map(step ->
                        new WalRange(step.segment().timeline(), step.segment().start(), step.end()))
                .flatMap(range -> past.deletedFrom(system, range).stream());
        return Stream.concat(links, segments).min(Comparator.naturalOrder());
    }

    /** Those that can be restored and that retention keeps, as far as storages say; all that can be if there is none. */
    public List<StoredBackup> lasting() {
        RetentionPast past = retention();
        List<StoredBackup> lasting = restorable().stream()
                .filter(backup -> past.expiredSince(backup.label()).isEmpty())
                .toList();
        return lasting.isEmpty() ? restorable() : lasting;
    }

    private RetentionPast retention() {
        try {
            return new RetentionRecords(name, storages).past();
        } catch (NightshiftException away) {
            return RetentionPast.none();
        }
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
        List<WalEnds> newestFirst = wal.timelines().stream()
                .sorted(Comparator.reverseOrder())
                .flatMap(timeline -> lineage(timeline).stream())
                .map(lineage -> new WalEnds(lineage, wal.coverage(), wal.segmentSize()))
                .toList();
        List<Window> windows = new ArrayList<>();
        restorable(backups)
                .sorted(Comparator.comparing(backup -> document(backup).endLsn()))
                .forEach(backup -> window(document(backup), newestFirst).ifPresent(window -> add(windows, window)));
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
    private Optional<Window> window(BackupDocument document, List<WalEnds> newestFirst) {
        for (WalEnds ends : newestFirst) {
            Optional<Window> window = window(document, ends);
            if (window.isPresent()) {
                return window;
            }
        }
        Window alone = new Window(
                document.timeline(), document.endLsn(), document.endedAt(), document.endLsn(), document.endedAt());
        return document.wal() == BackupDocument.Wal.INCLUDED ? Optional.of(alone) : Optional.empty();
    }

    private Optional<Window> window(BackupDocument document, WalEnds ends) {
        boolean isOn = ends.lineage().branches().stream()
                .anyMatch(branch -> branch.timeline().equals(document.timeline())
                        && (branch.end() == null || document.endLsn().compareTo(branch.end()) <= 0));
        boolean hasOwnWal = document.wal() == BackupDocument.Wal.INCLUDED;
        Optional<WalPath.Step> last = ends.from(hasOwnWal ? document.endLsn() : document.startLsn());
        Lsn end = last.map(WalPath.Step::end).orElse(Lsn.INVALID);
        boolean leadsOn = document.endLsn().isBefore(end);
        boolean isComplete = !hasOwnWal && document.endLsn().equals(end);
        if (!isOn || !(leadsOn || isComplete)) {
            return Optional.empty();
        }
        Instant until = last.flatMap(step -> wal.storedAt(step.object())).orElse(document.endedAt());
        return Optional.of(new Window(ends.lineage().present(), document.endLsn(), document.endedAt(), end, until));
    }
}
