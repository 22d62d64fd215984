package io.nightshift.infra.backup;

import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The objects of one label in one storage, by their names inside the backup. */
record BackupFolder(BackupPaths paths, BackupLabel label, SortedMap<String, StoredObject> objects) {

    boolean isPublished() {
        return objects.containsKey(BackupPaths.BACKUP_JSON);
    }

    /** All objects of a label; none if there is nothing of it. */
    static BackupFolder list(Storage storage, BackupPaths paths, BackupLabel label) {
        String prefix = paths.backup(label) + "/";
        SortedMap<String, StoredObject> objects = new TreeMap<>();
        try (Stream<StoredObject> listed = storage.list(prefix)) {
            listed.forEach(object -> objects.put(object.name().substring(prefix.length()), object));
        }
        return new BackupFolder(paths, label, objects);
    }

    /** Its backup.json, which is damaged, too, if it is another backup's. */
    BackupDocumentFile document(Storage storage) {
        BackupDocumentFile file =
                BackupDocumentFile.read(BackupCatalog.read(storage, paths.object(label, BackupPaths.BACKUP_JSON)));
        if (file instanceof BackupDocumentFile.Intact intact) {
            BackupDocument document = intact.document();
            if (!document.label().equals(label) || !document.paths().equals(paths)) {
                return new BackupDocumentFile.Damaged(
                        "backup.json belongs to " + document.paths().backup(document.label()));
            }
        }
        return file;
    }

    /** What a published backup's objects lack of what its document says; "" if nothing. */
    String lacks(BackupDocument document) {
        for (BackupDocument.Archive archive : document.archives()) {
            String lack = lack(archive.object(), archive.storedBytes());
            if (!lack.isEmpty()) {
                return lack;
            }
        }
        return lack(document.manifest().object(), document.manifest().bytes());
    }

    private String lack(String name, long bytes) {
        StoredObject object = objects.get(name);
        if (object == null) {
            return name + " is missing";
        }
        return object.bytes() == bytes ? "" : name + " has " + object.bytes() + " bytes instead of " + bytes;
    }
}
