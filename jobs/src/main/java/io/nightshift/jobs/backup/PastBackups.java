package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.storage.Storage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * Earlier backups of a cluster, the newest ones of one type, to compare a new one with. The storages know them: the history in
 * the control database is not needed, and may be gone.
 */
record PastBackups(List<BackupDocument> backups) {

    private static final int COMPARED = 7;

    static PastBackups of(List<Storage> storages, BackupDocument than) {
        List<BackupDocument> earlier = new BackupCatalog(storages)
                .backups(than.cluster()).stream()
                        .flatMap(backup -> backup.document().stream())
                        .filter(document -> document.type() == than.type()
                                && document.paths().equals(than.paths())
                                && document.startedAt().isBefore(than.startedAt()))
                        .toList();
        return new PastBackups(earlier.subList(Math.max(0, earlier.size() - COMPARED), earlier.size()));
    }

    /** What the newest full backup of a cluster takes in a storage. */
    static Optional<Long> lastStoredBytes(Storage storage, String cluster) {
        return new BackupCatalog(List.of(storage))
                .backups(cluster).stream()
                        .flatMap(backup -> backup.document().stream())
                        .filter(document -> document.type() == BackupType.FULL)
                        .reduce((earlier, later) -> later)
                        .map(BackupDocument::storedBytes);
    }

    /** The median of their durations. */
    Optional<Duration> usualDuration() {
        return median(PastBackups::millis).map(Duration::ofMillis);
    }

    /** The median of their sizes, unpacked. */
    Optional<Long> usualBytes() {
        return median(BackupDocument::bytes);
    }

    /** A backup of what came after this one's timeline; the newest of them. */
    Optional<BackupDocument> onLaterTimelineThan(BackupDocument document) {
        return backups.stream()
                .filter(past -> past.timeline().compareTo(document.timeline()) > 0)
                .reduce((earlier, later) -> later);
    }

    private Optional<Long> median(ToLongFunction<BackupDocument> of) {
        List<Long> sorted = backups.stream().mapToLong(of).sorted().boxed().toList();
        return sorted.isEmpty() ? Optional.empty() : Optional.of(sorted.get(sorted.size() / 2));
    }

    static long millis(BackupDocument document) {
        return Duration.between(document.startedAt(), document.endedAt()).toMillis();
    }
}
