package io.nightshift.infra.storage;

import io.nightshift.infra.run.Timings;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A storage whose calls count as time that the calling thread's step spends on storage. */
public final class TimedStorage implements Storage {

    private final Storage storage;

    public TimedStorage(Storage storage) {
        this.storage = storage;
    }

    private static <T> T timed(Supplier<T> call) {
        long begun = System.nanoTime();
        try {
            return call.get();
        } finally {
            spent(begun);
        }
    }

    private static void timed(Runnable call) {
        long begun = System.nanoTime();
        try {
            call.run();
        } finally {
            spent(begun);
        }
    }

    private static void spent(long begun) {
        Timings.spent(Timings.Kind.STORAGE, Duration.ofNanos(System.nanoTime() - begun));
    }

    @Override
    public String name() {
        return storage.name();
    }

    @Override
    public StoredObjectWriter create(String object) {
        return new TimedWriter(timed(() -> storage.create(object)));
    }

    @Override
    public StoredObjectWriter replace(String object) {
        return new TimedWriter(timed(() -> storage.replace(object)));
    }

    @Override
    public InputStream open(String object) {
        return new TimedStream(timed(() -> storage.open(object)));
    }

    @Override
    public InputStream openRange(String object, long offset, long length) {
        return new TimedStream(timed(() -> storage.openRange(object, offset, length)));
    }

    @Override
    public Stream<StoredObject> list(String prefix) {
        return timed(() -> storage.list(prefix));
    }

    @Override
    public Stream<String> folders(String folder) {
        return timed(() -> storage.folders(folder));
    }

    @Override
    public Optional<StoredObject> stat(String object) {
        return timed(() -> storage.stat(object));
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
        timed(() -> storage.delete(object));
    }

    private record TimedWriter(StoredObjectWriter writer) implements StoredObjectWriter {

        @Override
        public String object() {
            return writer.object();
        }

        @Override
        public void write(ByteBuffer bytes) {
            timed(() -> writer.write(bytes));
        }

        @Override
        public void sync() {
            timed(writer::sync);
        }

        @Override
        public void commit() {
            timed(writer::commit);
        }

        @Override
        public void close() {
            timed(writer::close);
        }
    }

    private static final class TimedStream extends FilterInputStream {

        TimedStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            long begun = System.nanoTime();
            try {
                return super.read();
            } finally {
                spent(begun);
            }
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            long begun = System.nanoTime();
            try {
                return super.read(bytes, offset, length);
            } finally {
                spent(begun);
            }
        }
    }
}
