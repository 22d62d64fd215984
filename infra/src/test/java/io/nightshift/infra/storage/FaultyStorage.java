package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * A storage that breaks when told to: the n-th call of a kind from now on fails once, or all calls from the n-th on do.
 * A failing write passes the first half of its bytes on before it fails, as a full disk does.
 */
public final class FaultyStorage implements Storage {

    /** What can be made to fail. */
    public enum Call {
        CREATE,
        WRITE,
        COMMIT,
        AFTER_COMMIT,
        OPEN,
        READ,
        LIST,
        STAT,
        DELETE
    }

    private record Fault(int countdown, boolean lasting, FailureKind kind) {}

    private final Storage storage;
    private final Map<Call, Fault> faults = new EnumMap<>(Call.class);
    private final Map<Call, Integer> calls = new EnumMap<>(Call.class);
    private final List<String> badSectors = new CopyOnWriteArrayList<>();
    private final List<String> failed = new CopyOnWriteArrayList<>();

    public FaultyStorage(Storage storage) {
        this.storage = storage;
    }

    /** The n-th such call from now on fails once; 1 is the next. */
    public synchronized FaultyStorage failOnce(Call call, int nth, FailureKind kind) {
        faults.put(call, new Fault(nth, false, kind));
        return this;
    }

    /** The n-th such call from now on fails, and all after it. */
    public synchronized FaultyStorage failFrom(Call call, int nth, FailureKind kind) {
        faults.put(call, new Fault(nth, true, kind));
        return this;
    }

    /** Objects whose names begin so are listed, and opened, and cannot be read until they are written anew. */
    public FaultyStorage badSector(String prefix) {
        badSectors.add(prefix);
        return this;
    }

    /** How many calls of a kind there were. */
    public synchronized int calls(Call call) {
        return calls.getOrDefault(call, 0);
    }

    /** The objects whose calls were made to fail, in order. */
    public List<String> failed() {
        return List.copyOf(failed);
    }

    /** Works again. */
    public synchronized void repair() {
        faults.clear();
    }

    @Override
    public String name() {
        return storage.name();
    }

    @Override
    public StoredObjectWriter create(String object) {
        reach(Call.CREATE, object);
        return new FaultyWriter(storage.create(object));
    }

    @Override
    public StoredObjectWriter replace(String object) {
        reach(Call.CREATE, object);
        return new FaultyWriter(storage.replace(object));
    }

    @Override
    public InputStream open(String object) {
        reach(Call.OPEN, object);
        return new FaultyStream(storage.open(object), object);
    }

    @Override
    public InputStream openRange(String object, long offset, long length) {
        reach(Call.OPEN, object);
        return new FaultyStream(storage.openRange(object, offset, length), object);
    }

    @Override
    public Stream<StoredObject> list(String prefix) {
        reach(Call.LIST, prefix);
        return storage.list(prefix);
    }

    @Override
    public Stream<String> folders(String folder) {
        reach(Call.LIST, folder);
        return storage.folders(folder);
    }

    @Override
    public Optional<StoredObject> stat(String object) {
        reach(Call.STAT, object);
        return storage.stat(object);
    }

    @Override
    public void delete(String object) {
        reach(Call.DELETE, object);
        storage.delete(object);
    }

    private void reach(Call call, String object) {
        FailureKind kind = due(call);
        if (kind != null) {
            failed.add(object);
            throw new NightshiftException(
                    kind, "injected failure of " + call + " of " + object + " in storage " + name());
        }
    }

    private synchronized FailureKind due(Call call) {
        calls.merge(call, 1, Integer::sum);
        Fault fault = faults.get(call);
        if (fault == null) {
            return null;
        }
        if (fault.countdown() > 1) {
            faults.put(call, new Fault(fault.countdown() - 1, fault.lasting(), fault.kind()));
            return null;
        }
        if (!fault.lasting()) {
            faults.remove(call);
        }
        return fault.kind();
    }

    private final class FaultyWriter implements StoredObjectWriter {

        private final StoredObjectWriter writer;

        FaultyWriter(StoredObjectWriter writer) {
            this.writer = writer;
        }

        @Override
        public String object() {
            return writer.object();
        }

        @Override
        public void write(ByteBuffer bytes) {
            try {
                reach(Call.WRITE, object());
            } catch (NightshiftException injected) {
                writer.write(bytes.slice(bytes.position(), bytes.remaining() / 2));
                throw injected;
            }
            writer.write(bytes);
        }

        @Override
        public void commit() {
            reach(Call.COMMIT, object());
            writer.commit();
            badSectors.removeIf(object()::equals);
            reach(Call.AFTER_COMMIT, object());
        }

        @Override
        public void close() {
            writer.close();
        }
    }

    private final class FaultyStream extends FilterInputStream {

        private final String object;

        FaultyStream(InputStream stream, String object) {
            super(stream);
            this.object = object;
        }

        @Override
        public int read() throws IOException {
            reachSector();
            reach(Call.READ, object);
            return super.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            reachSector();
            reach(Call.READ, object);
            return super.read(bytes, offset, length);
        }

        private void reachSector() {
            if (badSectors.stream().anyMatch(object::startsWith)) {
                throw StorageFailures.unreadable(storage, object, new IOException("Input/output error"));
            }
        }
    }
}
