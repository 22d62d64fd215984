package io.nightshift.infra.wal;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalReceiver;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.StepThreads;
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
import java.util.concurrent.atomic.LongAdder;
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

    private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

    private final WalArchive archive;
    private final Path folder;
    private final Timeline timeline;
    private final Duration partialAfter;
    private final BooleanSupplier goesOn;
    private final ExecutorService storing;
    private final Semaphore room = new Semaphore(MOST_WAITING);
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    private final LongAdder segments = new LongAdder();
    private final LongAdder received = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private volatile Lsn durable;
    private volatile boolean heldUp;
    private Lsn handedOver;
    private @Nullable WalSpool spool;
    private long unstoredSince;

    /**
     * @param folder for the segment that arrives; nothing in it outlives this process
     * @param start where the stream begins: at the beginning of a segment, before it everything is in the archive
     * @param partialAfter how long after its arrival WAL is in the archive at the latest, also when no segment gets full
     */
    public WalArchiver(
            WalArchive archive,
            Path folder,
            Timeline timeline,
            Lsn start,
            Duration partialAfter,
            BooleanSupplier goesOn) {
        this.archive = archive;
        this.folder = folder;
        this.timeline = timeline;
        this.partialAfter = partialAfter;
        this.goesOn = goesOn;
        this.durable = start;
        this.handedOver = start;
        this.storing = Executors.newSingleThreadExecutor(StepThreads.named("wal-archive"));
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
                if (!handedOver.isBefore(present.end())) {
                    unstoredSince = System.nanoTime();
                }
                int part = present.add(buffer, offset + done, length - done);
                done += part;
                received.add(part);
                if (present.isFull()) {
                    store(present, true);
                    spool = null;
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

    /** Whole segments that were stored. */
    public long segments() {
        return segments.sum();
    }

    /** Bytes of WAL that arrived. */
    public long received() {
        return received.sum();
    }

    /** Bytes that what was stored takes in one storage. */
    public long stored() {
        return stored.sum();
    }

    /** Whether nothing more is read because the storage is too slow; a server that shuts down would wait for us. */
    public boolean isHeldUp() {
        return heldUp;
    }

    /** Fails when the storage takes longer than five seconds: the stream ends, and the server need not wait for it. */
    @Override
    public void wordIsWanted() {
        requireNoFailure();
        storePartial();
        if (!hasStored(WORD_WITHIN)) {
            throw tooSlow();
        }
    }

    /**
     * Stores what has arrived, and waits for it: as long as it takes while the stream is to go on, else five seconds at
     * most. Call it when no more arrives, for whatever reason: the server may have gone for good.
     */
    public void finish() {
        requireNoFailure();
        storePartial();
        long until = System.nanoTime() + WORD_WITHIN.toNanos();
        while (!hasStored(LOOK_AGAIN)) {
            if (!goesOn.getAsBoolean() && System.nanoTime() - until > 0) {
                throw tooSlow();
            }
        }
    }

    private boolean hasStored(Duration limit) {
        try {
            Future<?> everything = storing.submit(() -> {});
            everything.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException tooSlow) {
            requireNoFailure();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        requireNoFailure();
        return true;
    }

    private NightshiftException tooSlow() {
        return new NightshiftException(
                FailureKind.STORAGE_UNAVAILABLE,
                "WAL up to " + handedOver + " not stored within " + Durations.print(WORD_WITHIN)
                        + ", which the server waits for",
                "see whether the storage still answers; the server keeps the WAL meanwhile");
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
        WalSpool present = spool;
        if (present != null
                && handedOver.isBefore(present.end())
                && System.nanoTime() - unstoredSince > partialAfter.toNanos()) {
            store(present, false);
        }
        return goesOn.getAsBoolean();
    }

    private void store(WalSpool from, boolean last) {
        WalObject object = from.object();
        Lsn end = from.end();
        awaitRoom();
        handedOver = end;
        Future<?> unused = storing.submit(() -> {
            try {
                if (failure.get() == null) {
                    stored.add(archive.store(object, () -> from.content(end)));
                    segments.add(object instanceof WalObject.Segment ? 1 : 0);
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

    /** A slow storage slows the stream down, unless the stream is to end: then it fails. */
    private void awaitRoom() {
        try {
            while (!room.tryAcquire(LOOK_AGAIN.toMillis(), TimeUnit.MILLISECONDS)) {
                heldUp = true;
                requireNoFailure();
                if (!goesOn.getAsBoolean()) {
                    throw tooSlow();
                }
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            heldUp = false;
        }
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
