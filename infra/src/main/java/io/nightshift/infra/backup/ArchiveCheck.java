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
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Reads one stored archive completely: its bytes once, in order, for the SHA-256; its frames unpacked by the workers;
 * its members judged in order. Without an index it unpacks on one thread as far as that goes.
 */
final class ArchiveCheck {

    private final Storage storage;
    private final String object;
    private final BackupDocument.Archive archive;
    private final ManifestCheck manifest;
    private final Consumer<Damage> damages;
    private final Progress progress;
    private final Cancellation cancellation;
    private final MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
    private boolean complained;

    ArchiveCheck(
            Storage storage,
            String object,
            BackupDocument.Archive archive,
            ManifestCheck manifest,
            Consumer<Damage> damages,
            VerifierRun run) {
        this.storage = storage;
        this.object = object;
        this.archive = archive;
        this.manifest = manifest;
        this.damages = damages;
        this.progress = run.progress();
        this.cancellation = run.cancellation();
    }

    /** Returns whether all members were seen. */
    boolean read(ExecutorService workers, Deque<FrameTask> free) {
        ArchiveReader reader = ArchiveReader.open(storage, object);
        if (reader.storedBytes() != archive.storedBytes()) {
            complain(new Damage(
                    object,
                    Math.min(reader.storedBytes(), archive.storedBytes()),
                    Math.max(reader.storedBytes(), archive.storedBytes()),
                    "",
                    "has " + reader.storedBytes() + " bytes, backup.json says " + archive.storedBytes()));
        }
        boolean whole =
                reader.index().isPresent() ? readFrames(reader.index().get(), workers, free) : readUnindexed(reader);
        judgeSha256();
        return whole;
    }

    private boolean readFrames(ArchiveIndex index, ExecutorService workers, Deque<FrameTask> free) {
        var members = new MemberCheck(object, ArchivePlace.of(archive.name()), index, manifest, this::complain);
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
            drain(stored);
            return true;
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

    private boolean readUnindexed(ArchiveReader reader) {
        String what = reader.indexDamage().orElse("the index is damaged");
        var members = new UnindexedMembers();
        var scanner = new TarScanner("archive " + archive.name(), members);
        var buffer = new byte[1 << 16];
        try (InputStream tar = reader.tar()) {
            for (int count = tar.read(buffer); count >= 0; count = tar.read(buffer)) {
                cancellation.check();
                scanner.accept(buffer, 0, count);
            }
            scanner.finish();
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.DATA_DAMAGED) {
                throw failed;
            }
            complain(new Damage(object, 0, reader.storedBytes(), members.current, String.valueOf(failed.getMessage())));
            return false;
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
        complain(new Damage(
                object,
                Math.max(0, reader.storedBytes() - IndexTrailer.BYTES),
                reader.storedBytes(),
                "",
                what + "; all files are readable without it"));
        return true;
    }

    /** Says nothing of its own where a frame was named already. */
    private void judgeSha256() {
        if (!complained) {
            String found = HexFormat.of().formatHex(sha256.digest());
            if (!found.equals(archive.sha256())) {
                complain(new Damage(
                        object,
                        0,
                        archive.storedBytes(),
                        "",
                        "has the SHA-256 " + found + ", backup.json says " + archive.sha256()));
            }
        }
    }

    private void complain(Damage damage) {
        complained = true;
        damages.accept(damage);
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

    private static void drain(InputStream stored) throws IOException {
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

    /** Judges members by the manifest alone. */
    private final class UnindexedMembers implements TarScanner.Listener {

        private final ArchivePlace place = ArchivePlace.of(archive.name());
        private ManifestChecksum.Digest checksum = ManifestChecksum.NONE.digest();
        private String current = "";
        private long size;
        private boolean file;

        @Override
        public void header(TarHeader header, long offset, byte[] block) {
            current = place.manifestPath(header.path());
            size = header.size();
            file = header.type() == MemberType.FILE;
            checksum = manifest.algorithm(current).digest();
        }

        @Override
        public void content(byte[] bytes, int offset, int length) {
            checksum.update(bytes, offset, length);
        }

        @Override
        public void filler(byte[] bytes, int offset, int length) {}

        @Override
        public void memberEnd() {
            String wrong = file ? manifest.found(current, size, checksum.hex()) : "";
            if (!wrong.isEmpty()) {
                complain(new Damage(object, 0, archive.storedBytes(), current, wrong));
            }
        }
    }
}
