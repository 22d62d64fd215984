package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tar bytes of one archive into a stored archive. The calling thread, which reads the server's socket, only
 * finds the members, sums their checksums and fills blocks; workers compress, and one thread stores the frames in
 * order. When the storage is slower than the server, {@link #write} waits for a free block. The first failure of any of
 * them is thrown at the next call.
 *
 * <p>Closing before {@link #finish()} leaves nothing in the storage. For one thread.
 */
public final class ArchiveWriter implements AutoCloseable {

    private final String name;
    private final String location;
    private final StoredObjectWriter out;
    private final ArchiveCompressor compressor;
    private final TarScanner scanner;
    private final IndexBuilder index;
    private final ManifestChecksum.Digest checksum;
    private final MessageDigest stored = ManifestChecksum.SHA256.messageDigest();
    private final BlockingQueue<Optional<Pending>> frames = new LinkedBlockingQueue<>();
    private final AtomicReference<@Nullable NightshiftException> failure = new AtomicReference<>();
    private final Thread storing;
    private @Nullable ArchiveBlock filling;
    private final AtomicLong storedBytes = new AtomicLong();
    private boolean ended;

    ArchiveWriter(
            String name,
            String location,
            StoredObjectWriter out,
            ArchiveCompressor compressor,
            ManifestChecksum algorithm) {
        this.name = name;
        this.location = location;
        this.out = out;
        this.compressor = compressor;
        this.index = new IndexBuilder(algorithm);
        this.checksum = algorithm.digest();
        this.scanner = new TarScanner("archive " + name, new Members());
        this.storing = new Thread(this::storeFrames, "archive-writer " + name);
        this.storing.setDaemon(true);
        this.storing.start();
    }

    /** Takes the next bytes of the tar, in pieces of any size. */
    public void write(byte[] bytes, int offset, int length) {
        rethrow();
        scanner.accept(bytes, offset, length);
    }

    /** Bytes of the tar taken so far. */
    public long rawBytes() {
        return scanner.position();
    }

    /** Bytes handed to the storage so far. */
    public long storedBytes() {
        return storedBytes.get();
    }

    /** Completes the archive and makes it durable. DATA_DAMAGED if the tar is not complete. */
    public StoredArchive finish() {
        scanner.finish();
        cut();
        stopStoring();
        rethrow();
        IndexBuilder.Built built = index.build(name);
        store(built.frame());
        out.commit();
        out.close();
        return new StoredArchive(
                out.object(),
                name,
                location,
                scanner.position(),
                storedBytes.get(),
                HexFormat.of().formatHex(stored.digest()),
                built.index());
    }

    /** Gives up what is not finished; waits until the storage has let go. */
    @Override
    public void close() {
        failure.compareAndSet(
                null, new NightshiftException(FailureKind.CANCELLED, "archive " + name + " was given up"));
        if (filling != null) {
            compressor.giveBack(filling);
            filling = null;
        }
        stopStoring();
        out.close();
    }

    private void stopStoring() {
        if (!ended) {
            ended = true;
            frames.add(Optional.empty());
        }
        boolean interrupted = false;
        while (storing.isAlive()) {
            try {
                storing.join();
            } catch (InterruptedException wait) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void append(byte[] bytes, int offset, int length) {
        int at = offset;
        int left = length;
        while (left > 0) {
            if (filling == null) {
                filling = compressor.take();
                rethrow();
            }
            ByteBuffer raw = filling.raw();
            int count = Math.min(left, raw.remaining());
            raw.put(bytes, at, count);
            at += count;
            left -= count;
            if (!raw.hasRemaining()) {
                cut();
            }
        }
    }

    private void cut() {
        if (filling != null) {
            frames.add(Optional.of(new Pending(filling, compressor.compress(filling))));
            filling = null;
        }
    }

    /** After a failure the remaining blocks only go back, so that the caller never waits for one in vain. */
    private void storeFrames() {
        try {
            for (Optional<Pending> next = frames.take(); next.isPresent(); next = frames.take()) {
                Pending pending = next.get();
                try {
                    ArchiveBlock block = pending.compressed().get();
                    if (failure.get() == null) {
                        index.frame(block.stored().remaining(), block.raw().position(), block.crc32c());
                        store(block.stored());
                    }
                } catch (RuntimeException | Error | ExecutionException failed) {
                    failure.compareAndSet(null, NightshiftException.of(failed));
                } finally {
                    compressor.giveBack(pending.block());
                }
            }
        } catch (InterruptedException failed) {
            failure.compareAndSet(null, NightshiftException.of(failed));
        }
    }

    private void store(ByteBuffer bytes) {
        stored.update(bytes.duplicate());
        int length = bytes.remaining();
        out.write(bytes);
        storedBytes.addAndGet(length);
    }

    private void rethrow() {
        NightshiftException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }

    private record Pending(ArchiveBlock block, Future<ArchiveBlock> compressed) {}

    private final class Members implements TarScanner.Listener {

        private @Nullable TarHeader current;
        private long currentOffset;

        /** A member that does not fit into the shared frame begins a new one. */
        @Override
        public void header(TarHeader header, long offset, byte[] block) {
            long bytes = TarHeader.BLOCK + TarHeader.padded(header.size());
            if (filling != null && filling.raw().position() + bytes > ArchiveFormat.FRAME_TARGET) {
                cut();
            }
            append(block, 0, block.length);
            current = header;
            currentOffset = offset;
        }

        @Override
        public void content(byte[] bytes, int offset, int length) {
            checksum.update(bytes, offset, length);
            append(bytes, offset, length);
        }

        @Override
        public void filler(byte[] bytes, int offset, int length) {
            append(bytes, offset, length);
        }

        @Override
        public void memberEnd() {
            if (current != null) {
                int crc32c = checksum.crc32c();
                index.member(current, currentOffset, crc32c, checksum.finish());
            }
        }
    }
}
