package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A backup being written. Nobody sees it until {@link #publish} has put its backup.json; what a writer leaves that dies
 * before is debris, swept later. A new attempt takes a new label and begins afresh.
 */
public final class NewBackup implements AutoCloseable {

    /** Far below the day after which a backup that nobody renews is debris. */
    private static final Duration RENEWAL = Duration.ofHours(1);

    private final StorageSet storages;
    private final BackupPaths paths;
    private final BackupLabel label;
    private final ArchiveCompressor compressor;
    private final List<ArchiveWriter> writers = new ArrayList<>();
    private @Nullable ManifestWriter manifest;
    private @Nullable DigestsObject digests;
    private WritingMarker marker;

    private NewBackup(
            StorageSet storages,
            BackupPaths paths,
            BackupLabel label,
            WritingMarker marker,
            ArchiveCompressor compressor) {
        this.storages = storages;
        this.paths = paths;
        this.label = label;
        this.marker = marker;
        this.compressor = compressor;
    }

    /** Claims the label by writing the marker; REFUSED if the label is taken. */
    public static NewBackup begin(
            StorageSet storages,
            BackupPaths paths,
            BackupLabel label,
            WritingMarker marker,
            ArchiveCompressor compressor) {
        var backup = new NewBackup(storages, paths, label, marker, compressor);
        try {
            backup.put(BackupPaths.WRITING_JSON, BackupJson.bytes(marker));
        } catch (NightshiftException failed) {
            if (!StorageFailures.isExisting(failed)) {
                backup.discard(); // one of several storages may have it
            }
            throw failed;
        }
        CrashPoint.reach("backup.after-marker");
        return backup;
    }

    public BackupLabel label() {
        return label;
    }

    /** Says that the writer is still alive: what has no object younger than a day is taken for debris. */
    public void renew(WritingMarker renewed) {
        put("writing-" + BackupLabel.text(renewed.since()) + ".json", BackupJson.bytes(renewed));
        marker = renewed;
    }

    /** Renews if the writer has not said for an hour that it is alive; cheap, so call it often. */
    public void renewIfDue(Instant now) {
        if (!now.isBefore(marker.since().plus(RENEWAL))) {
            renew(new WritingMarker(marker.node(), marker.run(), marker.token(), now, marker.parent()));
        }
    }

    /**
     * Begins an archive; finish it before the next.
     *
     * @param name as the server sends it, {@code base.tar} or {@code <oid>.tar}
     * @param location of the tablespace at the source, "" for the data directory
     */
    public ArchiveWriter archive(String name, String location, ManifestChecksum algorithm) {
        var writer =
                new ArchiveWriter(name, location, storages.create(paths.archive(label, name)), compressor, algorithm);
        writers.add(writer);
        return writer;
    }

    /** Begins the backup manifest, which follows the archives. */
    public ManifestWriter manifest() {
        var writer = new ManifestWriter(storages.create(paths.object(label, BackupPaths.MANIFEST)));
        manifest = writer;
        return writer;
    }

    /** Stores a backup manifest that is in memory. */
    public BackupDocument.Manifest manifest(byte[] bytes) {
        try (ManifestWriter writer = manifest()) {
            writer.write(bytes, 0, bytes.length);
            return writer.finish();
        }
    }

    /** Begins the block digests, which come with the archives. */
    DigestsObject digests() {
        var object = new DigestsObject(storages.create(paths.object(label, BackupPaths.BLOCK_DIGESTS)));
        digests = object;
        return object;
    }

    /**
     * Makes a written backup exist, in one storage after the other. Publishing the same document again is harmless and
     * completes what a crash between two storages left; REFUSED, before anything is written, where the label belongs to
     * another document.
     *
     * @param lastCheck runs when everything else is ready, once for each storage; throws if the writer has lost its lease
     */
    public static void publish(StorageSet storages, BackupDocument document, Runnable lastCheck) {
        byte[] json = BackupDocumentFile.write(document);
        String object = document.paths().object(document.label(), BackupPaths.BACKUP_JSON);
        List<Storage> lacking = storages.storages().stream()
                .filter(storage -> !isPublished(storage, object, json))
                .toList();
        for (Storage storage : lacking) {
            requireWhole(storage, document);
        }
        CrashPoint.reach("backup.before-publish");
        for (Storage storage : lacking) {
            try (StoredObjectWriter writer = storage.create(object)) {
                writer.write(json);
                lastCheck.run();
                writer.commit();
            }
            CrashPoint.reach("backup.after-publish");
        }
    }

    /** Between the last write and now a day may have passed, and a sweep. */
    private static void requireWhole(Storage storage, BackupDocument document) {
        String lack =
                BackupFolder.list(storage, document.paths(), document.label()).lacks(document);
        if (!lack.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "backup " + document.label() + " is not whole in storage " + storage.name() + ": " + lack,
                    "nobody has seen it; run the job again");
        }
    }

    private static boolean isPublished(Storage storage, String object, byte[] json) {
        if (storage.stat(object).isEmpty()) {
            return false;
        }
        if (!Arrays.equals(BackupCatalog.read(storage, object), json)) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "object " + object + " in storage " + storage.name() + " is there already and says something else",
                    "nothing was overwritten; look at both before anything is deleted");
        }
        return true;
    }

    /**
     * Deletes what was written, after a failure, wherever the backup was not published: a full disk need not stay full
     * for a day. What cannot be deleted is debris.
     */
    public void discard() {
        close();
        discard(storages, paths, label);
    }

    /** The same of a backup whose writer is gone; the caller knows that nobody else works on it. */
    public static void discard(StorageSet storages, BackupPaths paths, BackupLabel label) {
        for (Storage storage : storages.storages()) {
            try {
                if (storage.stat(paths.object(label, BackupPaths.BACKUP_JSON)).isEmpty()) {
                    delete(storage, paths.backup(label));
                }
            } catch (NightshiftException leftForTheSweeper) {
                // The failure that made us discard is the one to report; debris is listed and swept.
            }
        }
    }

    /** Gives up what is unfinished; a backup that was not published stays invisible. */
    @Override
    public void close() {
        writers.forEach(ArchiveWriter::close);
        writers.clear();
        if (manifest != null) {
            manifest.close();
        }
        if (digests != null) {
            digests.close();
        }
    }

    private static void delete(Storage storage, String backup) {
        List<String> objects;
        try (Stream<StoredObject> listed = storage.list(backup + "/")) {
            objects = listed.map(StoredObject::name).toList();
        }
        objects.forEach(storage::delete);
    }

    private void put(String name, byte[] content) {
        try (StoredObjectWriter writer = storages.create(paths.object(label, name))) {
            writer.write(content);
            writer.commit();
        }
    }
}
