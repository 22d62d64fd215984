package io.nightshift.infra.storage;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** One object written to several storages; a failure of one is the failure of all. */
final class TeeWriter implements StoredObjectWriter {

    private final String object;
    private final List<StoredObjectWriter> writers = new ArrayList<>();

    private TeeWriter(String object) {
        this.object = object;
    }

    static TeeWriter begin(List<Storage> storages, String object) {
        var tee = new TeeWriter(object);
        boolean begun = false;
        try {
            storages.forEach(storage -> tee.writers.add(storage.create(object)));
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
        for (StoredObjectWriter writer : writers) {
            writer.write(bytes.duplicate());
        }
        bytes.position(bytes.limit());
    }

    @Override
    public void commit() {
        writers.forEach(StoredObjectWriter::commit);
    }

    @Override
    public void close() {
        writers.forEach(StoredObjectWriter::close);
    }
}
