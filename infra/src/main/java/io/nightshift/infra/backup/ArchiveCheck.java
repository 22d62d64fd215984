package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Reads one stored archive completely: its bytes once, in order, for the SHA-256; its frames unpacked by the workers;
 * its members judged in order. Without an index it looks for the frames itself, on one thread.
 */
final class ArchiveCheck {

    private final Storage storage;
    private final ExpectedBackup backup;
    private final BackupDocument.Archive archive;
    private final String object;
    private final ArchivePlace place;
    private final ManifestCheck manifest;
    private final ContentCheck content;
    private final Damages damages;
    private final Progress progress;
    private final Cancellation cancellation;
    private final MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
    private long read;

    ArchiveCheck(
            Storage storage,
            ExpectedBackup backup,
            BackupDocument.Archive archive,
            ManifestCheck manifest,
            ContentCheck content,
            VerifierRun run) {
        this.storage = storage;
        this.backup = backup;
        this.archive = archive;
        this.object = backup.object(archive.object());
        this.place = ArchivePlace.of(archive.name());
        this.manifest = manifest;
        this.content = content;
        this.damages = new Damages(object);
        this.progress = run.progress();
        this.cancellation = run.cancellation();
    }

    /** What is wrong with the archive, and with the files that it should hold. */
    List<Damage> damages(ExecutorService workers, Deque<FrameTask> free) {
        try {
            readAll(workers, free);
        } catch (NightshiftException failed) {
            if (!StorageFailures.isMissing(failed)) {
                throw failed;
            }
            damages.accept(StoredManifest.missing(storage, object));
            reportLostWithIt(manifest.missing(place, backup.places()));
        }
        return damages.list();
    }

    /** Bytes read. */
    long bytes() {
        return read;
    }

    private void readAll(ExecutorService workers, Deque<FrameTask> free) {
        ArchiveReader reader = ArchiveReader.open(storage, object);
        read = reader.storedBytes();
        if (read != archive.storedBytes()) {
            damages.accept(new Damage(
                    object,
                    Math.min(read, archive.storedBytes()),
                    Math.max(read, archive.storedBytes()),
                    "",
                    "has " + read + " bytes, backup.json says " + archive.storedBytes()));
        }
        if (reader.index().isPresent()) {
            readFrames(reader.index().get(), workers, free);
            manifest.missing(place, backup.places())
                    .forEach(path ->
                            damages.accept(new Damage(object, 0, 0, path, "is in the manifest but not in the backup")));
        } else {
            readUnindexed();
        }
        judgeSha256();
    }

    private void readFrames(ArchiveIndex index, ExecutorService workers, Deque<FrameTask> free) {
        var members = new MemberCheck(object, place, index, manifest, content, damages);
        Deque<Future<FrameTask>> underway = new ArrayDeque<>();
        try (InputStream stored = new DigestInputStream(storage.open(object), sha256)) {
            for (int number = 0; number < index.frameCount(); number++) {
                cancellation.check();
                if (free.isEmpty()) {
                    free.add(judge(underway.remove(), members));
                }
                FrameTask task = free.remove();
                task.prepare(index.frame(number));
                readFully(stored, task);
                underway.add(workers.submit(task));
            }
            while (!underway.isEmpty()) {
                free.add(judge(underway.remove(), members));
            }
            judgeIndexFrame(stored.readNBytes(IndexTrailer.FRAME_HEADER), index);
            drain(stored);
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        } finally {
            reclaim(underway, free);
        }
    }

    private FrameTask judge(Future<FrameTask> next, MemberCheck members) {
        FrameTask task = await(next);
        ArchiveFrame frame = task.frame();
        String damage = task.damage();
        if (damage == null) {
            members.sound(frame, task.raw());
        } else {
            members.hole(frame, damage);
        }
        progress.advance(frame.storedLength());
        return task;
    }

    /** Its content was judged when it was opened; what makes zstd pass over it was not. */
    private void judgeIndexFrame(byte[] header, ArchiveIndex index) {
        long from = index.indexOffset();
        ByteBuffer expected = ByteBuffer.allocate(IndexTrailer.FRAME_HEADER)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(IndexTrailer.SKIPPABLE_MAGIC)
                .putInt((int) (read - from - IndexTrailer.FRAME_HEADER))
                .flip();
        if (!expected.equals(ByteBuffer.wrap(header))) {
            damages.accept(new Damage(
                    object,
                    from,
                    from + IndexTrailer.FRAME_HEADER,
                    "",
                    "the header of the index is damaged; all files are readable, but zstd will complain"));
        }
    }

    private void readUnindexed() {
        var check = new UnindexedCheck(object, read, place, manifest, content, damages);
        try (InputStream stored = new DigestInputStream(storage.open(object), sha256);
                var walk = new FrameWalk(stored, read, check)) {
            long before = 0;
            while (walk.step()) {
                cancellation.check();
                progress.advance(walk.offset() - before);
                before = walk.offset();
            }
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
        check.end();
        check.lost(manifest.missing(place, backup.places()));
    }

    /** Says nothing of its own where other damage was named already, unless it is another archive altogether. */
    private void judgeSha256() {
        String found = HexFormat.of().formatHex(sha256.digest());
        if (archive.sha256().isEmpty() || found.equals(archive.sha256())) {
            return;
        }
        String other = backup.archives().stream()
                .filter(each -> each.sha256().equals(found))
                .map(each -> ": it holds the bytes of " + each.object())
                .findFirst()
                .orElse("");
        if (damages.isEmpty() || !other.isEmpty()) {
            damages.accept(new Damage(
                    object,
                    0,
                    archive.storedBytes(),
                    "",
                    "has the SHA-256 " + found + ", backup.json says " + archive.sha256() + other));
        }
    }

    private void reportLostWithIt(List<String> missing) {
        if (!missing.isEmpty()) {
            damages.accept(new Damage(
                    object, 0, 0, missing.get(0), missing.size() + " files are lost with it, this the first by name"));
        }
    }

    private void readFully(InputStream stored, FrameTask task) throws IOException {
        int length = stored.readNBytes(task.stored(), 0, task.frame().storedLength());
        if (length < task.frame().storedLength()) {
            throw new NightshiftException(
                    FailureKind.STORAGE_UNAVAILABLE,
                    "object " + object + " in storage " + storage.name() + " became shorter while it was read",
                    "something else writes to this storage");
        }
    }

    static void drain(InputStream stored) throws IOException {
        var rest = new byte[1 << 16];
        int count = stored.read(rest);
        while (count >= 0) {
            count = stored.read(rest);
        }
    }

    private static FrameTask await(Future<FrameTask> task) {
        try {
            return task.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NightshiftException(FailureKind.CANCELLED, "interrupted while verifying", null, interrupted);
        } catch (ExecutionException failed) {
            throw NightshiftException.of(failed);
        }
    }

    /** After a failure the tasks under way still own their memory until they end. */
    private static void reclaim(Deque<Future<FrameTask>> underway, Deque<FrameTask> free) {
        while (!underway.isEmpty()) {
            free.add(await(underway.remove()));
        }
    }
}
