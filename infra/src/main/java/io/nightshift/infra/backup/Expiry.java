package io.nightshift.infra.backup;

import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * Takes a backup out of a storage. It is marked first, so that who finds the rest of it knows that nobody writes it; then its
 * backup.json goes, so that nobody ever sees half a backup; then all else, and the mark last.
 */
public final class Expiry {

    private static final String MARK = NoteName.FOLDER + "expired.json";

    private Expiry() {}

    /** Whether debris is what an expiry has left that was broken off. */
    public static boolean isMarked(Debris debris) {
        return debris.objects().stream().anyMatch(name -> name.endsWith("/" + MARK));
    }

    /**
     * Doing it again finishes what was broken off.
     *
     * @param lastCheck runs before each delete; throws if somebody else is at it by now
     * @return the bytes that are free by it
     */
    public static long expire(Storage storage, BackupPaths paths, BackupLabel label, Runnable lastCheck) {
        List<StoredObject> objects;
        try (Stream<StoredObject> listed = storage.list(paths.backup(label) + "/")) {
            objects = listed.toList();
        }
        if (objects.isEmpty()) {
            return 0;
        }
        String document = paths.object(label, BackupPaths.BACKUP_JSON);
        String mark = paths.object(label, MARK);
        lastCheck.run();
        mark(storage, mark);
        storage.delete(document);
        CrashPoint.reach("retention.document-deleted");
        for (StoredObject object : objects) {
            if (!object.name().equals(document) && !object.name().equals(mark)) {
                lastCheck.run();
                storage.delete(object.name());
            }
        }
        storage.delete(mark);
        return objects.stream().mapToLong(StoredObject::bytes).sum();
    }

    private static void mark(Storage storage, String mark) {
        if (storage.stat(mark).isPresent()) {
            return;
        }
        try (StoredObjectWriter writer = storage.create(mark)) {
            writer.write("{}\n".getBytes(StandardCharsets.US_ASCII));
            writer.commit();
        }
    }
}
