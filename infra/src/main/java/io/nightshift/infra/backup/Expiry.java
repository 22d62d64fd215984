package io.nightshift.infra.backup;

import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import java.util.List;
import java.util.stream.Stream;

/** Takes a backup out of a storage: its backup.json first, so that nobody ever sees half a backup. */
public final class Expiry {

    private Expiry() {}

    /**
     * Doing it again finishes what was broken off.
     *
     * @param lastCheck runs before each delete; throws if somebody else is at it by now
     * @return the bytes that are free by it
     */
    public static long expire(Storage storage, BackupPaths paths, BackupLabel label, Runnable lastCheck) {
        String document = paths.object(label, BackupPaths.BACKUP_JSON);
        List<StoredObject> objects;
        try (Stream<StoredObject> listed = storage.list(paths.backup(label) + "/")) {
            objects = listed.toList();
        }
        lastCheck.run();
        storage.delete(document);
        CrashPoint.reach("retention.document-deleted");
        for (StoredObject object : objects) {
            if (!object.name().equals(document)) {
                lastCheck.run();
                storage.delete(object.name());
            }
        }
        return objects.stream().mapToLong(StoredObject::bytes).sum();
    }
}
