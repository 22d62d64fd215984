package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An exclusive claim on a lock file, among all processes of the machine and among the threads of this one. The kernel
 * drops it when the process dies. The file itself stays for ever: deleting it would let two processes lock two files of
 * the same name. Locks of POSIX are per process and end when any channel to the file closes, therefore a claim first
 * makes sure that this process has no other channel open.
 */
final class FileClaim implements AutoCloseable {

    private static final ConcurrentMap<Path, Semaphore> THREADS = new ConcurrentHashMap<>();
    private static final long POLL_MILLIS = 20;

    private final Path file;
    private final Semaphore thread;
    private final FileChannel channel;

    private FileClaim(Path file, Semaphore thread, FileChannel channel) {
        this.file = file;
        this.thread = thread;
        this.channel = channel;
    }

    /**
     * Waits for the claim.
     *
     * @throws NightshiftException REFUSED when another holds it for longer than the limit
     */
    static FileClaim take(Path file, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        Semaphore thread = THREADS.computeIfAbsent(file.toAbsolutePath().normalize(), key -> new Semaphore(1, true));
        try {
            if (!thread.tryAcquire(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw heldElsewhere(file, limit);
            }
        } catch (InterruptedException e) {
            throw interrupted(file, e);
        }
        FileChannel channel = null;
        boolean taken = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            while (channel.tryLock() == null) {
                if (System.nanoTime() - deadline > 0) {
                    throw heldElsewhere(file, limit);
                }
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            }
            taken = true;
            return new FileClaim(file, thread, channel);
        } catch (ClosedByInterruptException e) {
            throw interrupted(file, e);
        } catch (IOException e) {
            throw DataDirectory.unusable(file, e);
        } catch (InterruptedException e) {
            throw interrupted(file, e);
        } finally {
            if (!taken) {
                release(thread, channel);
            }
        }
    }

    private static NightshiftException heldElsewhere(Path file, Duration limit) {
        return new NightshiftException(
                FailureKind.REFUSED,
                file + " is locked by another process since more than " + limit.toSeconds() + " s",
                "another Nightshift process is starting or stopping this server; see who has the file open (fuser "
                        + file + ")");
    }

    private static NightshiftException interrupted(Path file, Exception cause) {
        Thread.currentThread().interrupt();
        return new NightshiftException(
                FailureKind.CANCELLED, "interrupted while waiting for the lock of " + file, null, cause);
    }

    private static void release(Semaphore thread, @Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            thread.release();
        }
    }

    @Override
    public void close() {
        release(thread, channel);
    }

    @Override
    public String toString() {
        return "claim on " + file;
    }
}
