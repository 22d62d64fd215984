package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What one storage holds under a label, whether it is a backup or not. */
public final class BackupCopy {

    private final Storage storage;
    private final BackupFolder folder;
    private final BackupDocumentFile document;

    private BackupCopy(Storage storage, BackupFolder folder, BackupDocumentFile document) {
        this.storage = storage;
        this.folder = folder;
        this.document = document;
    }

    /** Looks for the label in all folders of a cluster; empty if the storage has nothing of it. */
    public static Optional<BackupCopy> find(Storage storage, String cluster, BackupLabel label) {
        List<String> folders = storage.folders(cluster).toList();
        return folders.stream()
                .flatMap(name -> BackupPaths.parse(cluster, name).stream())
                .map(paths -> BackupFolder.list(storage, paths, label))
                .filter(folder -> !folder.objects().isEmpty())
                .map(folder -> new BackupCopy(storage, folder, read(storage, folder)))
                .findFirst();
    }

    private static BackupDocumentFile read(Storage storage, BackupFolder folder) {
        try {
            return folder.document(storage);
        } catch (NightshiftException failed) {
            if (!StorageFailures.isMissing(failed)) {
                throw failed;
            }
            return new BackupDocumentFile.Damaged("is missing in storage " + storage.name());
        }
    }

    public Storage storage() {
        return storage;
    }

    public BackupPaths paths() {
        return folder.paths();
    }

    public BackupLabel label() {
        return folder.label();
    }

    /** When somebody last pinned it here, or ended that. */
    public Optional<Instant> lastPinAt() {
        return PinNote.newest(folder.objects().keySet()).map(PinNote.Named::at);
    }

    /** Whether there is a backup.json, readable or not. */
    public boolean isPublished() {
        return folder.isPublished();
    }

    /** What its backup.json says; empty if that is missing, damaged, or another backup's. */
    public Optional<BackupDocument> document() {
        return document instanceof BackupDocumentFile.Intact intact ? Optional.of(intact.document()) : Optional.empty();
    }

    /** Why there is no document; "" if there is one. */
    String documentDamage() {
        return document instanceof BackupDocumentFile.Damaged damaged ? damaged.reason() : "";
    }

    BackupFolder folder() {
        return folder;
    }
}
