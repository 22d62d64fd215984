package io.nightshift.infra.backup;

import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Reads a backup back from one storage, every byte of it, and compares it with its backup.json and with the server's
 * manifest. Damage is the result, not an exception; only a storage that fails, or a cancelled run, throws.
 *
 * <p>WAL segments are not in the manifest; they are checked by the archive's index. Whether the WAL itself is complete
 * and readable is for the restore to show.
 */
public final class BackupVerifier {

    private static final long LARGEST_MANIFEST = 1L << 30;

    private final int workers;

    /** @param workers threads that unpack; each has about 8 MiB, and two more of that wait */
    public BackupVerifier(int workers) {
        this.workers = workers;
    }

    /** Verifies the backup that a readable backup.json describes. */
    public Verification verify(Storage storage, BackupDocument document, Progress progress, Cancellation cancellation) {
        progress.begin("verify " + document.label(), document.storedBytes(), "bytes");
        List<Damage> damages = new ArrayList<>();
        ManifestCheck manifest = manifest(storage, document, damages);
        List<ArchivePlace> places = document.archives().stream()
                .map(archive -> ArchivePlace.of(archive.name()))
                .toList();
        ExecutorService unpacking = Executors.newFixedThreadPool(workers, work -> {
            var thread = new Thread(work, "archive-verifier");
            thread.setDaemon(true);
            return thread;
        });
        Deque<FrameTask> free = new ArrayDeque<>();
        for (int task = 0; task < workers + 2; task++) {
            free.add(new FrameTask());
        }
        long read = document.manifest().bytes();
        try {
            for (BackupDocument.Archive archive : document.archives()) {
                String object = document.paths().object(document.label(), archive.object());
                List<Damage> found = new ArrayList<>();
                var check = new ArchiveCheck(
                        storage, object, archive, manifest, found::add, new VerifierRun(progress, cancellation));
                boolean whole = readArchive(check, storage, object, found, unpacking, free);
                List<String> missing = manifest.missing(ArchivePlace.of(archive.name()), places);
                reportMissing(object, whole, missing, found);
                damages.addAll(found);
                read += storage.stat(object).map(StoredObject::bytes).orElse(0L);
            }
            checkControlFile(storage, document, damages);
        } finally {
            unpacking.shutdownNow();
            free.forEach(FrameTask::close);
        }
        return new Verification(storage.name(), document.label(), read, manifest.matched(), List.copyOf(damages));
    }

    private static boolean readArchive(
            ArchiveCheck check,
            Storage storage,
            String object,
            List<Damage> found,
            ExecutorService unpacking,
            Deque<FrameTask> free) {
        try {
            return check.read(unpacking, free);
        } catch (NightshiftException failed) {
            if (!StorageFailures.isMissing(failed)) {
                throw failed;
            }
            found.add(new Damage(object, 0, 0, "", "is missing in storage " + storage.name()));
            return false;
        }
    }

    private static void reportMissing(String object, boolean whole, List<String> missing, List<Damage> found) {
        if (whole) {
            missing.forEach(
                    path -> found.add(new Damage(object, 0, 0, path, "is in the manifest but not in the backup")));
        } else if (!missing.isEmpty()) {
            found.add(new Damage(
                    object, 0, 0, missing.get(0), missing.size() + " files are lost with it, this the first by name"));
        }
    }

    private ManifestCheck manifest(Storage storage, BackupDocument document, List<Damage> damages) {
        BackupDocument.Manifest said = document.manifest();
        String object = document.paths().object(document.label(), said.object());
        try (InputStream stream = storage.openRange(object, 0, LARGEST_MANIFEST)) {
            byte[] bytes = stream.readAllBytes();
            String found = ManifestChecksum.SHA256.hexOf(bytes);
            if (bytes.length != said.bytes() || !found.equals(said.sha256())) {
                damages.add(new Damage(
                        object,
                        0,
                        said.bytes(),
                        "",
                        "has " + bytes.length + " bytes with the SHA-256 " + found + ", backup.json says "
                                + said.bytes() + " with " + said.sha256()));
                return ManifestCheck.withoutManifest();
            }
            return ManifestCheck.against(BackupManifest.parse(new ByteArrayInputStream(bytes)));
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.DATA_DAMAGED) {
                throw failed;
            }
            damages.add(new Damage(
                    object,
                    0,
                    StorageFailures.isMissing(failed) ? 0 : said.bytes(),
                    "",
                    StorageFailures.isMissing(failed)
                            ? "is missing in storage " + storage.name()
                            : String.valueOf(failed.getMessage())));
            return ManifestCheck.withoutManifest();
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    /** pg_control must be of this cluster: its first eight bytes are the system identifier. */
    private static void checkControlFile(Storage storage, BackupDocument document, List<Damage> damages) {
        if (!damages.isEmpty()) {
            return;
        }
        for (BackupDocument.Archive archive : document.archives()) {
            String object = document.paths().object(document.label(), archive.object());
            if (!archive.name().equals("base.tar")) {
                continue;
            }
            ArchiveReader reader = ArchiveReader.open(storage, object);
            reader.find("global/pg_control").ifPresent(control -> {
                try (InputStream content = reader.content(control)) {
                    byte[] start = content.readNBytes(8);
                    long found = start.length < 8
                            ? 0
                            : ByteBuffer.wrap(start)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .getLong();
                    if (found != document.systemIdentifier().id()) {
                        damages.add(new Damage(
                                object,
                                0,
                                0,
                                control.path(),
                                "belongs to the system identifier " + Long.toUnsignedString(found)
                                        + ", backup.json says " + document.systemIdentifier()));
                    }
                } catch (IOException failed) {
                    throw StorageFailures.unreadable(storage, object, failed);
                }
            });
        }
    }
}
