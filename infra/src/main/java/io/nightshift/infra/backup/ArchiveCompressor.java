package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdCompressCtx;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.StepThreads;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The threads and the memory that compress archives: about 8 MiB outside the heap for each of {@code workers + 3} blocks. The archives of
 * a backup use one after another. Close it after the last.
 */
public final class ArchiveCompressor implements AutoCloseable {

    private final int level;
    private final ExecutorService workers;
    private final ExecutorService summing;
    private final BlockingQueue<ArchiveBlock> free;
    /** As many as there are workers, so that each finds one. */
    private final BlockingQueue<ZstdCompressCtx> contexts;

    private boolean closed;

    /**
     * @param level of zstd, 1 to 19
     * @param workers compressing threads
     */
    public ArchiveCompressor(int level, int workers) {
        if (level < 1 || level > 19) {
            throw new IllegalArgumentException("compression level " + level + " is not between 1 and 19");
        }
        if (workers < 1) {
            throw new IllegalArgumentException(workers + " compression workers");
        }
        this.level = level;
        int blocks = workers + 3;
        this.free = new ArrayBlockingQueue<>(blocks);
        for (int block = 0; block < blocks; block++) {
            free.add(new ArchiveBlock());
        }
        this.contexts = new ArrayBlockingQueue<>(workers);
        this.workers = threads(workers, "archive-compressor");
        this.summing = threads(1, "archive-checksums");
    }

    /** An empty block; waits until one is stored. */
    ArchiveBlock take() {
        try {
            return free.take();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NightshiftException(
                    FailureKind.CANCELLED, "interrupted while waiting for the storage", null, interrupted);
        }
    }

    Future<ArchiveBlock> compress(ArchiveBlock block) {
        return workers.submit(() -> {
            ZstdCompressCtx context = contexts.poll();
            if (context == null) {
                context = new ZstdCompressCtx().setLevel(level).setChecksum(true);
            }
            try {
                return block.compress(context);
            } finally {
                keep(context);
            }
        });
    }

    /** Blocks are summed in the order of these calls. */
    Future<ArchiveBlock> sum(ArchiveBlock block, MemberSums sums) {
        return summing.submit(() -> sums.sum(block));
    }

    void giveBack(ArchiveBlock block) {
        block.clear();
        free.add(block);
    }

    private synchronized void keep(ZstdCompressCtx context) {
        if (closed) {
            context.close();
        } else {
            contexts.add(context);
        }
    }

    /** An archive that is still being written keeps its memory until it is closed. */
    @Override
    public synchronized void close() {
        closed = true;
        workers.shutdown();
        summing.shutdown();
        for (ZstdCompressCtx context = contexts.poll(); context != null; context = contexts.poll()) {
            context.close();
        }
        free.clear();
    }

    private static ExecutorService threads(int number, String name) {
        return Executors.newFixedThreadPool(number, StepThreads.named(name));
    }
}
