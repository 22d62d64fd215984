package io.nightshift.infra.wal;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalReceiver;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Stores WAL in an archive as it arrives: whole segments, and what there is of the present one when the server waits for
 * word. A thread of its own stores, so that a slow storage does not keep the server without an answer; when {@value
 * #MOST_WAITING} segments wait for it, nothing more is read. A storage that fails ends the stream.
 */
public final class WalArchiver implements WalReceiver, AutoCloseable {

    private static final int MOST_WAITING = 4;

    /** A server that shuts down waits for us no longer than this. */
    private static final Duration WORD_WITHIN = Duration.ofSeconds(5);

    private final WalArchive archive;
    private final Path folder;
    private final Timeline timeline;
    private final BooleanSupplier goesOn;
    private final ExecutorService storing;
    private final Semaphore room = new Semaphore(MOST_WAITING);
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    private volatile Lsn durable;
    private Lsn handedOver;
    private @Nullable WalSpool spool;

    /**
     * @param folder for the segment that arrives; nothing in it outlives this process
     * @param start where the stream begins: at the beginning of a segment, before it everything is in the archive
     */
    public WalArchiver(WalArchive archive, Path folder, Timeline timeline, Lsn start, BooleanSupplier goesOn) {
        this.archive = archive;
        this.folder = folder;
        this.timeline = timeline;
        this.goesOn = goesOn;
        this.durable = start;
        this.handedOver = start;
        this.storing = Executors.newSingleThreadExecutor(work -> {
            Thread thread = new Thread(work, "wal-archive");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public void wal(Lsn start, byte[] buffer, int offset, int length) {
        requireNoFailure();
        try {
            for (int done = 0; done < length; ) {
                WalSpool present = spool;
                if (present == null) {
                    present = WalSpool.begin(folder, WalSegment.at(timeline, start.plus(done), archive.segmentSize()));
                    spool = present;
                }
                done += present.add(buffer, offset + done, length - done);
                if (present.isFull()) {
                    spool = null;
                    store(present, true);
                }
            }
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "WAL from " + start + " on not kept in " + folder + ": " + e.getMessage(),
                    "make room there; the server keeps the WAL meanwhile",
                    e);
        }
    }

    @Override
    public Lsn durable() {
        return durable;
    }

    /** Fails when the storage takes longer than five seconds: the stream ends, and the server need not wait for it. */
    @Override
    public void wordIsWanted() {
        requireNoFailure();
        storePartial();
        try {
            Future<?> everything = storing.submit(() -> {});
            everything.get(WORD_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException tooSlow) {
            throw new NightshiftException(
                    FailureKind.STORAGE_UNAVAILABLE,
                    "WAL up to " + handedOver + " not stored within " + Durations.print(WORD_WITHIN)
                            + ", which the server waits for",
                    "see whether the storage still answers; the server keeps the WAL meanwhile",
                    tooSlow);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        requireNoFailure();
    }

    /** Stores what there is of the present segment, if anything of it is not in the archive; does not wait for it. */
    public void storePartial() {
        WalSpool present = spool;
        if (present != null && handedOver.isBefore(present.end())) {
            store(present, false);
        }
    }

    @Override
    public boolean goesOn() {
        requireNoFailure();
        return goesOn.getAsBoolean();
    }

    private void store(WalSpool from, boolean last) {
        WalObject object = from.object();
        Lsn end = from.end();
        handedOver = end;
        try {
            room.acquire();
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        Future<?> unused = storing.submit(() -> {
            try {
                if (failure.get() == null) {
                    archive.store(object, () -> from.content(end));
                    durable = end;
                }
            } catch (RuntimeException e) {
                failure.compareAndSet(null, e);
            } finally {
                room.release();
                if (last) {
                    close(from);
                }
            }
        });
    }

    private void requireNoFailure() {
        RuntimeException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }

    private static NightshiftException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new NightshiftException(FailureKind.CANCELLED, "interrupted while waiting for the storage", null, e);
    }

    private static void close(WalSpool spool) {
        try {
            spool.close();
        } catch (IOException harmless) {
            // the file goes with the process at the latest
        }
    }

    /** Gives up what is not stored: it is streamed again. */
    @Override
    public void close() {
        storing.shutdown();
        if (spool != null) {
            WalSpool unfinished = spool;
            spool = null;
            close(unfinished);
        }
    }
}
