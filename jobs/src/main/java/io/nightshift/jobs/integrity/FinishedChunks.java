package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** What came of chunks, until it is written into the book: small ones together, since each write waits for a disk. */
final class FinishedChunks implements AutoCloseable {

    /** So much work may be lost, and done again, when the process dies. */
    private static final Duration KEPT = Duration.ofMillis(200);

    private static final int KEPT_CHUNKS = 16;

    private final ChunkBook book;
    private final RunContext run;
    private final Map<Integer, String> outcomes = new LinkedHashMap<>();
    private long first;

    FinishedChunks(ChunkBook book, RunContext run) {
        this.book = book;
        this.run = run;
    }

    void add(Chunk chunk, Outcome outcome) {
        if (outcomes.isEmpty()) {
            first = System.nanoTime();
        }
        outcomes.put(chunk.number(), outcome.json());
        if (outcomes.size() >= KEPT_CHUNKS || System.nanoTime() - first >= KEPT.toNanos()) {
            write();
        }
    }

    private void write() {
        if (!outcomes.isEmpty()) {
            book.finish(run, outcomes);
            outcomes.keySet().forEach(number -> CrashPoint.reach("integrity-validation.chunk-" + number));
            outcomes.clear();
        }
    }

    @Override
    public void close() {
        write();
    }
}
