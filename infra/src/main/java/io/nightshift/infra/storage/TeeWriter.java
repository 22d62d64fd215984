package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.StepThreads;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One object written to several storages at once, each on a thread of its own but the first: a write takes as long as
 * the slowest of them, and nothing is queued. A failure of one is the failure of all; of several, that of the first
 * storage is thrown.
 */
final class TeeWriter implements StoredObjectWriter {

    private final String object;
    private final List<StoredObjectWriter> writers = new ArrayList<>();
    private final ExecutorService others;

    private TeeWriter(String object, int storages) {
        this.object = object;
        this.others = Executors.newFixedThreadPool(storages - 1, StepThreads.named("storage-writer"));
    }

    /** Two storages or more. */
    static TeeWriter begin(List<Storage> storages, String object, Function<Storage, StoredObjectWriter> beginning) {
        var tee = new TeeWriter(object, storages.size());
        boolean begun = false;
        try {
            storages.forEach(storage -> tee.writers.add(beginning.apply(storage)));
            begun = true;
            return tee;
        } finally {
            if (!begun) {
                tee.close();
            }
        }
    }

    @Override
    public String object() {
        return object;
    }

    @Override
    public void write(ByteBuffer bytes) {
        everywhere(writer -> writer.write(bytes.duplicate()));
        bytes.position(bytes.limit());
    }

    @Override
    public void sync() {
        everywhere(StoredObjectWriter::sync);
    }

    /** The slow part at once; the decision between writers of the same object in order, so that one of them wins. */
    @Override
    public void commit() {
        sync();
        writers.forEach(StoredObjectWriter::commit);
    }

    @Override
    public void close() {
        others.shutdown();
        writers.forEach(StoredObjectWriter::close);
    }

    /** Returns when all have ended, also those that need not have gone on: the bytes are the caller's again. */
    private void everywhere(Consumer<StoredObjectWriter> act) {
        List<Future<?>> underway = new ArrayList<>();
        for (StoredObjectWriter writer : writers.subList(1, writers.size())) {
            underway.add(others.submit(() -> act.accept(writer)));
        }
        Throwable failure = null;
        try {
            act.accept(writers.get(0));
        } catch (RuntimeException | Error failed) {
            failure = failed;
        }
        boolean interrupted = false;
        for (Future<?> other : underway) {
            while (true) {
                try {
                    Throwable failed = failure(other);
                    failure = failure == null ? failed : failure;
                    break;
                } catch (InterruptedException wait) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure != null) {
            throw NightshiftException.of(failure);
        }
    }

    private static @Nullable Throwable failure(Future<?> act) throws InterruptedException {
        try {
            act.get();
            return null;
        } catch (ExecutionException failed) {
            return failed.getCause();
        }
    }
}
