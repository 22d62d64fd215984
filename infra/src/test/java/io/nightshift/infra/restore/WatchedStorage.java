package io.nightshift.infra.restore;

import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** A directory that counts the bytes read from it, and does something when so many have been. */
final class WatchedStorage implements Storage {

    private final Storage storage;
    private final AtomicLong read = new AtomicLong();
    private long mark = Long.MAX_VALUE;
    private Runnable atMark = () -> {};

    WatchedStorage(String name, Path root) {
        this.storage = new DirectoryStorage(name, root);
    }

    long read() {
        return read.get();
    }

    void after(long bytes, Runnable action) {
        read.set(0);
        mark = bytes;
        atMark = action;
    }

    @Override
    public String name() {
        return storage.name();
    }

    @Override
    public StoredObjectWriter create(String object) {
        return storage.create(object);
    }

    @Override
    public StoredObjectWriter replace(String object) {
        return storage.replace(object);
    }

    @Override
    public InputStream open(String object) {
        return watched(storage.open(object));
    }

    @Override
    public InputStream openRange(String object, long offset, long length) {
        return watched(storage.openRange(object, offset, length));
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

    private InputStream watched(InputStream stream) {
        return new FilterInputStream(stream) {
            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int count = super.read(bytes, offset, length);
                if (read.addAndGet(Math.max(0, count)) >= mark) {
                    atMark.run();
                }
                return count;
            }
        };
    }
}
