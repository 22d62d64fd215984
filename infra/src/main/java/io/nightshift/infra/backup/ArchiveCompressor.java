package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
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

    private final ExecutorService workers;
    private final BlockingQueue<ArchiveBlock> free;
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
        this.workers = Executors.newFixedThreadPool(workers, work -> {
            var thread = new Thread(work, "archive-compressor");
            thread.setDaemon(true);
            return thread;
        });
        int blocks = workers + 3;
        this.free = new ArrayBlockingQueue<>(blocks);
        for (int block = 0; block < blocks; block++) {
            free.add(new ArchiveBlock(level));
        }
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
        return workers.submit(block::compress);
    }

    synchronized void giveBack(ArchiveBlock block) {
        block.raw().clear();
        if (closed) {
            block.close();
        } else {
            free.add(block);
        }
    }

    /** Frees what no archive uses; an archive that is still being written frees its blocks when it is closed. */
    @Override
    public synchronized void close() {
        closed = true;
        workers.shutdown();
        for (ArchiveBlock block = free.poll(); block != null; block = free.poll()) {
            block.close();
        }
    }
}
