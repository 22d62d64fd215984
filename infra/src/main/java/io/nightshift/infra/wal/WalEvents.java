package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads WAL record by record, and says of each at which recovery could stop. Not thread-safe.
 */
@SuppressWarnings({"unused", "DoNotCallSuggester"})
public final class WalEvents implements AutoCloseable {

    /**
     * @param source of the segments
     * @param major version of the server that wrote them
     * @param path on which timeline the segment that begins at a location is to be read
     * @param from the beginning of a record, or of a segment: then the first record that begins in it is the first
     */
    public WalEvents(WalSegments source, int major, long segmentSize, Function<Lsn, Timeline> path, Lsn from) {
        throw new UnsupportedOperationException("not written yet");
    }

    /** The next one; empty where the WAL ends, in order or in the middle of a record. */
    public Optional<WalEvent> next() throws IOException {
        throw new UnsupportedOperationException("not written yet");
    }

    /** Where the last whole record begins that was read: the furthest location that recovery can reach as a target. */
    public Lsn lastRecord() {
        throw new UnsupportedOperationException("not written yet");
    }

    /** Where the last whole record ends. */
    public Lsn position() {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void close() {}
}
