package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.Debris;
import io.nightshift.infra.backup.Expiry;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the storages hold of a cluster.
 *
 * @param backups those that exist
 * @param debris what writers have left that died a day ago or earlier, and expiries that were broken off
 * @param candidates the backups again, as retention judges them
 */
record Inventory(List<StoredBackup> backups, List<Debris> debris, List<Candidate> candidates) {

    /** An older object that nobody has renewed is of a writer that died. */
    private static final Duration ALIVE = Duration.ofHours(24);

    Inventory {
        backups = List.copyOf(backups);
        debris = List.copyOf(debris);
        candidates = List.copyOf(candidates);
    }

    /** STORAGE_UNAVAILABLE unless all of them answer: what cannot be seen must not look as if it were lost. */
    static Inventory of(String cluster, List<Storage> storages, Instant now) {
        BackupCatalog catalog = new BackupCatalog(storages);
        // Before the backups: one that is published between the two is then in both lists, and not in none.
        List<Debris> unfinished = catalog.allDebris().stream()
                .filter(debris -> debris.paths().cluster().equals(cluster))
                .toList();
        List<StoredBackup> backups = catalog.backups(cluster);
        requireKnown(backups);
        List<Debris> left = new ArrayList<>();
        List<Debris> written = new ArrayList<>();
        for (Debris debris : unfinished) {
            boolean isPublishedElsewhere = backups.stream()
                    .anyMatch(backup -> backup.label().equals(debris.label())
                            && backup.paths().equals(debris.paths()));
            boolean isPublished = backups.stream()
                    .anyMatch(backup -> backup.label().equals(debris.label())
                            && backup.paths().equals(debris.paths())
                            && holds(debris.storage(), backup));
            if (isPublished) {
                continue; // meanwhile
            }
            if (Expiry.isMarked(debris)) {
                left.add(debris);
            } else if (debris.newestAt().plus(ALIVE).isAfter(now)) {
                written.add(debris);
            } else if (!isPublishedElsewhere) {
                left.add(debris);
            }
        }
        return new Inventory(
                backups,
                left,
                backups.stream()
                        .map(backup -> candidate(backup, backups, storages, written))
                        .toList());
    }

    private static void requireKnown(List<StoredBackup> backups) {
        for (StoredBackup backup : backups) {
            for (Map.Entry<String, StoredBackup.Copy> copy : backup.copies().entrySet()) {
                if (copy.getValue().state() == State.UNKNOWN) {
                    throw new NightshiftException(
                            FailureKind.STORAGE_UNAVAILABLE,
                            "storage " + copy.getKey() + " does not say what it holds of backup " + backup.label()
                                    + ": " + copy.getValue().reason(),
                            "nothing was deleted; run the job again when the storage answers");
                }
            }
        }
    }

    private static Candidate candidate(
            StoredBackup backup, List<StoredBackup> backups, List<Storage> storages, List<Debris> written) {
        Optional<BackupDocument> document = backup.document();
        return new Candidate(
                backup.paths(),
                backup.label(),
                document.map(BackupDocument::parent).orElse(null),
                BackupChain.isComplete(backup, backups),
                document.map(BackupDocument::endedAt).orElse(backup.label().time()),
                document.map(BackupDocument::timeline).orElse(new Timeline(1)),
                document.map(BackupDocument::startLsn).orElse(Lsn.INVALID),
                document.filter(known -> known.wal() == BackupDocument.Wal.ARCHIVE)
                        .map(known -> new WalRange(known.timeline(), known.startLsn(), known.endLsn()))
                        .orElse(null),
                document.map(BackupDocument::storedBytes).orElse(0L),
                backup.proof()
                        .filter(proof -> proof.holds())
                        .map(proof -> proof.at())
                        .orElse(null),
                backup.pin().map(Inventory::pin).orElse(null),
                written.stream()
                        .filter(debris -> debris.paths().equals(backup.paths())
                                && !debris.label().equals(backup.label()))
                        .map(debris -> "the writer of " + debris.label())
                        .distinct()
                        .toList(),
                storages.stream()
                        .map(Storage::name)
                        .filter(storage -> lacks(storage, backup, backups))
                        .toList());
    }

    private static Pin pin(PinNote note) {
        return new Pin(note.reason(), note.until() == null ? Instant.MIN : note.until());
    }

    /** One that holds a newer backup was never meant to have the older one, or has been given up on it. */
    private static boolean lacks(String storage, StoredBackup backup, List<StoredBackup> backups) {
        return !holds(storage, backup)
                && backups.stream()
                        .filter(other ->
                                other.label().time().isAfter(backup.label().time()))
                        .noneMatch(newer -> holds(storage, newer));
    }

    private static boolean holds(String storage, StoredBackup backup) {
        StoredBackup.Copy copy = backup.copies().get(storage);
        return copy != null && (copy.state() == State.OK || copy.state() == State.DAMAGED);
    }

    /** A restorable backup of a system; empty if it has none. */
    Optional<StoredBackup> restorable(BackupPaths paths) {
        return backups.stream()
                .filter(backup -> backup.paths().equals(paths) && BackupChain.isComplete(backup, backups))
                .reduce((older, newer) -> newer);
    }
}
