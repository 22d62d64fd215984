package io.nightshift.infra.storage;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** A storage whose writes and syncs go on only when those of others have come as far: proof that they overlap. */
record MeetingStorage(Storage storage, CyclicBarrier others) implements Storage {

    @Override
    public String name() {
        return storage.name();
    }

    @Override
    public StoredObjectWriter create(String object) {
        StoredObjectWriter writer = storage.create(object);
        return new StoredObjectWriter() {
            @Override
            public String object() {
                return object;
            }

            @Override
            public void write(ByteBuffer bytes) {
                meet();
                writer.write(bytes);
            }

            @Override
            public void sync() {
                meet();
                writer.sync();
            }

            @Override
            public void commit() {
                writer.commit();
            }

            @Override
            public void close() {
                writer.close();
            }
        };
    }

    @Override
    public StoredObjectWriter replace(String object) {
        return storage.replace(object);
    }

    @Override
    public InputStream open(String object) {
        return storage.open(object);
    }

    @Override
    public InputStream openRange(String object, long offset, long length) {
        return storage.openRange(object, offset, length);
    }

    @Override
    public Stream<StoredObject> list(String prefix) {
        return storage.list(prefix);
    }

    @Override
    public Stream<String> folders(String folder) {
        return storage.folders(folder);
    }

    @Override
    public Optional<StoredObject> stat(String object) {
        return storage.stat(object);
    }

    @Override
    public void delete(String object) {
        storage.delete(object);
    }

    private void meet() {
        try {
            others.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException alone) {
            throw new AssertionError("one storage waited for the other", alone);
        }
    }
}
