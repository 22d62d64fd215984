package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Takes a backup out of a storage. It is marked first, so that who finds the rest of it knows that nobody writes it; then its
 * backup.json goes, so that nobody ever sees half a backup; then all else, and the mark last.
 */
public final class Expiry {

    static final String MARK = NoteName.FOLDER + "expired.json";

    private Expiry() {}

    /** Whether debris is what an expiry has left that was broken off. */
    public static boolean isMarked(Debris debris) {
        return debris.objects().stream().anyMatch(name -> name.endsWith("/" + MARK));
    }

    /** Whether it is being deleted now, or would have been by somebody who died. */
    public static boolean isMarked(Storage storage, BackupPaths paths, BackupLabel label) {
        return storage.stat(paths.object(label, MARK)).isPresent();
    }

    /** It is kept after all. The caller knows that nobody else deletes. */
    public static void unmark(Storage storage, BackupPaths paths, BackupLabel label) {
        storage.delete(paths.object(label, MARK));
    }

    /**
     * Doing it again finishes what was broken off. Who pins it writes that first and then looks for the mark; here it is
     * the other way round, so that at least one of the two sees the other.
     *
     * @param decidedOn the last word of a pin that the decision knew; null if there was none
     * @param lastCheck runs before each delete; throws if somebody else is at it by now
     * @return false if somebody has pinned it since; nothing was deleted then
     */
    public static boolean expire(
            Storage storage, BackupPaths paths, BackupLabel label, @Nullable PinNote decidedOn, Runnable lastCheck) {
        if (BackupFolder.list(storage, paths, label).objects().isEmpty()) {
            return true;
        }
        String mark = paths.object(label, MARK);
        lastCheck.run();
        mark(storage, mark);
        CrashPoint.reach("retention.marked");
        BackupFolder folder = BackupFolder.list(storage, paths, label);
        PinNote pin = folder.isPublished() ? BackupCatalog.pin(storage, folder) : null;
        if (pin != null
                && pin.until() != null
                && (decidedOn == null || pin.pinnedAt().isAfter(decidedOn.pinnedAt()))) {
            storage.delete(mark);
            return false;
        }
        storage.delete(paths.object(label, BackupPaths.BACKUP_JSON));
        CrashPoint.reach("retention.document-deleted");
        for (String name : folder.objects().keySet()) {
            if (!name.equals(BackupPaths.BACKUP_JSON) && !name.equals(MARK)) {
                lastCheck.run();
                storage.delete(paths.object(label, name));
            }
        }
        storage.delete(mark);
        return true;
    }

    private static void mark(Storage storage, String mark) {
        if (storage.stat(mark).isPresent()) {
            return;
        }
        try (StoredObjectWriter writer = storage.create(mark)) {
            writer.write("{}\n".getBytes(StandardCharsets.US_ASCII));
            writer.commit();
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.RESOURCES_EXHAUSTED) {
                throw failed;
            }
            // A full storage: what this frees is wanted, and without a mark the rest of it is debris like any other.
        }
    }
}
