package io.nightshift.jobs.integrity;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What one attempt works on: the server it has chosen, its own until the attempt ends, and what is open there. */
final class Judgement implements AutoCloseable {

    private final JudgedServer server;
    private @Nullable OpenChunks open;

    Judgement(JudgedServer server) {
        this.server = server;
    }

    JudgedServer server() {
        return server;
    }

    /** From now on all partitions work off these. */
    void begin(OpenChunks chunks) {
        open = chunks;
    }

    OpenChunks open() {
        return Objects.requireNonNull(open, "the partitions are begun first");
    }

    @Override
    public void close() {
        server.close();
    }
}
