package io.nightshift.infra.storage;

import io.nightshift.infra.run.StepThreads;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * Lets the disk begin early with what a writer has written, on another thread, so that little is left for the fsync at
 * the end: the disk works while the bytes still come. One sync is under way at most. Not thread-safe.
 *
 * <p>The kernel tells an error of a sync once only; it is thrown by the next call.
 */
final class WriteBack {

    /** Large enough for a disk to work in long stretches, and small objects need no thread. */
    private static final long STRETCH = 32L << 20;

    private final FileChannel channel;
    private long written;
    private @Nullable FutureTask<Boolean> underway;

    WriteBack(FileChannel channel) {
        this.channel = channel;
    }

    void written(long bytes) throws IOException {
        written += bytes;
        if (written >= STRETCH && (underway == null || underway.isDone())) {
            await();
            written = 0;
            var sync = new FutureTask<>(() -> {
                channel.force(false);
                return true;
            });
            underway = sync;
            StepThreads.named("storage-sync").start(sync);
        }
    }

    /** Returns when no sync is under way. */
    void await() throws IOException {
        FutureTask<Boolean> sync = underway;
        underway = null;
        if (sync == null) {
            return;
        }
        try {
            sync.get();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof IOException told ? told : new IOException(failed);
        }
    }
}
