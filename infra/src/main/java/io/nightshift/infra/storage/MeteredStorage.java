package io.nightshift.infra.storage;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** A storage that counts what is asked of it and read from it, and is read at a {@link ReadRate}. Thread-safe. */
public final class MeteredStorage implements Storage {

    private final Storage storage;
    private final ReadRate rate;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong bytesRead = new AtomicLong();

    public MeteredStorage(Storage storage, ReadRate rate) {
        this.storage = storage;
        this.rate = rate;
    }

    /** Calls so far; an object store charges for each. */
    public long requests() {
        return requests.get();
    }

    public long bytesRead() {
        return bytesRead.get();
    }

    @Override
    public String name() {
        return storage.name();
    }

    @Override
    public StoredObjectWriter create(String object) {
        return asked().create(object);
    }

    @Override
    public StoredObjectWriter replace(String object) {
        return asked().replace(object);
    }

    @Override
    public InputStream open(String object) {
        return new MeteredStream(asked().open(object));
    }

    @Override
    public InputStream openRange(String object, long offset, long length) {
        return new MeteredStream(asked().openRange(object, offset, length));
    }

    @Override
    public Stream<StoredObject> list(String prefix) {
        return asked().list(prefix);
    }

    @Override
    public Stream<String> folders(String folder) {
        return asked().folders(folder);
    }

    @Override
    public Optional<StoredObject> stat(String object) {
        return asked().stat(object);
    }

    @Override
    public OptionalLong freeBytes() {
        return storage.freeBytes();
    }

    @Override
    public String volume() {
        return storage.volume();
    }

    @Override
    public void delete(String object) {
        asked().delete(object);
    }

    private Storage asked() {
        requests.incrementAndGet();
        return storage;
    }

    private final class MeteredStream extends FilterInputStream {

        MeteredStream(InputStream stream) {
            super(stream);
        }

        @Override
        public int read() throws IOException {
            int one = super.read();
            passed(one < 0 ? 0 : 1);
            return one;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = super.read(bytes, offset, length);
            passed(count);
            return count;
        }

        private void passed(int bytes) {
            bytesRead.addAndGet(Math.max(0, bytes));
            rate.passed(bytes);
        }
    }
}
