package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.StepThreads;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tar bytes of one archive into a stored archive. The calling thread, which reads the server's socket, only
 * finds the members, sums their CRC-32C while the bytes are at hand, and fills blocks; workers compress, one thread sums
 * SHA-2s, and one stores the frames in order. When compression or storage are slower than the server, {@link #write}
 * waits for a free block. The first failure of any of them is thrown at the next call.
 *
 * <p>Closing before {@link #finish()} leaves nothing in the storage. For one thread.
 */
public final class ArchiveWriter implements AutoCloseable {

    private final String name;
    private final String location;
    private final StoredObjectWriter out;
    private final ArchiveCompressor compressor;
    private final Members members = new Members();
    private final TarScanner scanner;
    private final IndexBuilder index;
    private final MemberSums sums;
    private final MessageDigest stored = ManifestChecksum.SHA256.messageDigest();
    private final BlockingQueue<Optional<Pending>> frames = new LinkedBlockingQueue<>();
    private final AtomicReference<@Nullable NightshiftException> failure = new AtomicReference<>();
    /** Made beforehand: when memory is used up there is none for a message. */
    private final NightshiftException outOfMemory = NightshiftException.of(new OutOfMemoryError("no more details"));

    private final Thread storing;
    private final BusyTime inStorage = new BusyTime();
    private @Nullable ArchiveBlock filling;
    private long waitedForStorage;
    private long waitedForCompression;
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
        this.sums = new MemberSums(index, algorithm);
        this.scanner = new TarScanner("archive " + name, members);
        this.storing = StepThreads.named("archive-writer " + name).start(this::storeFrames);
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

    /** How long calls of {@link #write} and {@link #finish} have waited because compression was behind. */
    public Duration waitedForCompression() {
        return Duration.ofNanos(waitedForCompression);
    }

    /** How long they have waited because the storage was. */
    public Duration waitedForStorage() {
        return Duration.ofNanos(waitedForStorage);
    }

    /** Completes the archive and makes it durable. DATA_DAMAGED if the tar is not complete. */
    public StoredArchive finish() {
        scanner.finish();
        cut();
        long began = System.nanoTime();
        long storedBefore = inStorage.nanos();
        stopStoring();
        rethrow();
        IndexBuilder.Built built = index.build(name);
        store(built.frame());
        inStorage.begin();
        out.commit();
        inStorage.end();
        out.close();
        waited(began, storedBefore);
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
            ByteBuffer raw = filling().raw();
            int count = Math.min(left, raw.remaining());
            raw.put(bytes, at, count);
            at += count;
            left -= count;
            if (!raw.hasRemaining()) {
                cut();
            }
        }
    }

    private ArchiveBlock filling() {
        ArchiveBlock block = filling;
        if (block == null) {
            long began = System.nanoTime();
            long storedBefore = inStorage.nanos();
            block = compressor.take();
            waited(began, storedBefore);
            filling = block;
            rethrow();
        }
        return block;
    }

    /** Splits a wait by what the storing thread did meanwhile: if it was not storing, it had nothing to store yet. */
    private void waited(long began, long storedBefore) {
        long all = System.nanoTime() - began;
        long forStorage = Math.min(all, inStorage.nanos() - storedBefore);
        waitedForStorage += forStorage;
        waitedForCompression += all - forStorage;
    }

    private void cut() {
        ArchiveBlock block = filling;
        if (block != null && !block.isEmpty()) {
            members.goOnAfter(block);
            filling = null;
            frames.add(Optional.of(new Pending(block, compressor.compress(block), compressor.sum(block, sums))));
        }
    }

    private void storeFrames() {
        boolean more = true;
        while (more) {
            try {
                Optional<Pending> next = frames.take();
                more = next.isPresent();
                next.ifPresent(this::storeFrame);
            } catch (OutOfMemoryError failed) {
                failure.compareAndSet(null, outOfMemory);
            } catch (InterruptedException nobodyInterrupts) {
                failure.compareAndSet(null, NightshiftException.of(nobodyInterrupts));
            }
        }
    }

    /** After a failure the blocks only go back, so that the caller never waits for one in vain. */
    private void storeFrame(Pending pending) {
        try {
            ArchiveBlock block = pending.compressed().get();
            if (failure.get() == null) {
                index.frame(block.stored().remaining(), block.raw().position(), block.crc32c());
                store(block.stored());
            }
        } catch (OutOfMemoryError failed) {
            failure.compareAndSet(null, outOfMemory);
        } catch (RuntimeException | Error | ExecutionException | InterruptedException failed) {
            failure.compareAndSet(null, NightshiftException.of(failed));
        } finally {
            awaitSums(pending);
            compressor.giveBack(pending.block());
        }
    }

    private void awaitSums(Pending pending) {
        try {
            pending.summed().get();
        } catch (ExecutionException | InterruptedException failed) {
            failure.compareAndSet(null, NightshiftException.of(failed));
        }
    }

    private void store(ByteBuffer bytes) {
        stored.update(bytes.duplicate());
        int length = bytes.remaining();
        inStorage.begin();
        try {
            out.write(bytes);
        } finally {
            inStorage.end();
        }
        storedBytes.addAndGet(length);
    }

    private void rethrow() {
        NightshiftException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }

    private record Pending(ArchiveBlock block, Future<ArchiveBlock> compressed, Future<ArchiveBlock> summed) {}

    private final class Members implements TarScanner.Listener {

        private final CRC32C crc32c = new CRC32C();
        private @Nullable TarHeader current;
        private long currentOffset;
        private int contentFrom;

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
            contentFrom = filling == null ? 0 : filling.raw().position();
        }

        @Override
        public void content(byte[] bytes, int offset, int length) {
            crc32c.update(bytes, offset, length);
            append(bytes, offset, length);
        }

        @Override
        public void filler(byte[] bytes, int offset, int length) {
            append(bytes, offset, length);
        }

        @Override
        public void memberEnd() {
            if (current != null) {
                ArchiveBlock block = filling();
                add(block, current, true);
                crc32c.reset();
                current = null;
            }
        }

        /** The block is full; the member, if it has not ended, goes on in the next. */
        void goOnAfter(ArchiveBlock block) {
            if (current != null) {
                add(block, current, false);
                contentFrom = 0;
            }
        }

        private void add(ArchiveBlock block, TarHeader header, boolean last) {
            block.pieces()
                    .add(new MemberPiece(
                            header,
                            currentOffset,
                            contentFrom,
                            block.raw().position(),
                            last,
                            last ? (int) crc32c.getValue() : 0));
        }
    }
}
