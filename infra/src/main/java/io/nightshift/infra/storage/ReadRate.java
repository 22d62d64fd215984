package io.nightshift.infra.storage;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** How fast storages may be read, all together: who is ahead of the rate waits where it reads. Thread-safe. */
public final class ReadRate {

    /** So often a reader that waits sees that it was stopped. */
    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final @Nullable DataSize bytesPerSecond;
    private final Cancellation cancellation;
    private long due = System.nanoTime();

    /** @param bytesPerSecond null for as fast as they come */
    public ReadRate(@Nullable DataSize bytesPerSecond, Cancellation cancellation) {
        this.bytesPerSecond = bytesPerSecond;
        this.cancellation = cancellation;
    }

    /** Bytes were read; returns when the next may come. Throws CANCELLED when the run is stopped meanwhile. */
    void passed(long bytes) {
        if (bytesPerSecond == null || bytes <= 0) {
            return;
        }
        long until = reserve(bytes, bytesPerSecond);
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            cancellation.check();
            await(Math.min(left, SLICE_NANOS));
        }
    }

    /** What was not read while nobody wanted to read is not made up for. */
    private synchronized long reserve(long bytes, DataSize rate) {
        due = Math.max(due, System.nanoTime() - SLICE_NANOS)
                + Math.round((double) bytes * TimeUnit.SECONDS.toNanos(1) / rate.bytes());
        return due;
    }

    private static void await(long nanos) {
        try {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NightshiftException(FailureKind.CANCELLED, "interrupted while reading slowly", null, interrupted);
        }
    }
}
