package io.nightshift.infra.backup;

import io.nightshift.infra.storage.StoredObject;
import java.util.SortedMap;

/** The objects of one label in one storage, by their names inside the backup. */
record BackupFolder(BackupPaths paths, BackupLabel label, SortedMap<String, StoredObject> objects) {

    boolean isPublished() {
        return objects.containsKey(BackupPaths.BACKUP_JSON);
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
