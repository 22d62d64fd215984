package io.nightshift.infra.load;

import io.nightshift.infra.run.StepThreads;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the load of one node again and again, in a session and on a thread of its own: whoever asks for what was seen
 * last never waits. A session that fails or hangs is cut, and the next look opens another.
 */
final class LoadWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LoadWatch.class);

    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(5);
    private static final Duration LEAVE = Duration.ofSeconds(1);

    private final WatchedNode node;
    private final Duration interval;
    private final Consumer<Load> observed;
    private final Thread thread;
    private final long begun = System.nanoTime();
    private volatile @Nullable Load load;
    private volatile long seenAt;
    private volatile @Nullable String failure;
    private @Nullable Connection session;
    private boolean closed;

    /** @param observed is called on the watching thread after each look that succeeded */
    LoadWatch(WatchedNode node, Duration interval, Consumer<Load> observed) {
        this.node = node;
        this.interval = interval;
        this.observed = observed;
        this.thread = StepThreads.named("load-watch " + node.name()).start(this::watch);
    }

    String node() {
        return node.name();
    }

    /** What was seen last; null before the first time. */
    @Nullable
    Load load() {
        return load;
    }

    /** How long nothing has been seen. */
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - (load == null ? begun : seenAt));
    }

    /** Why the last look failed; null when it did not. */
    @Nullable
    String failure() {
        return failure;
    }

    private void watch() {
        while (!isClosed()) {
            try {
                Load seen = new LoadReader(session()).read();
                seenAt = System.nanoTime();
                load = seen;
                failure = null;
                observed.accept(seen);
            } catch (SQLException | RuntimeException e) {
                failed(String.valueOf(e.getMessage()));
            }
            pause();
        }
        cut();
    }

    private void failed(String why) {
        if (!isClosed() && failure == null) {
            LOG.warn("load of {} not observed: {}", node.name(), why);
        }
        failure = why;
        cut();
    }

    private Connection session() throws SQLException {
        Connection open = opened();
        if (open == null) {
            open = node.sessions().get();
            keep(open);
            open.setNetworkTimeout(Runnable::run, Math.toIntExact(ANSWER_LIMIT.toMillis()));
            try (Statement statement = open.createStatement()) {
                statement.execute("SET statement_timeout = " + ANSWER_LIMIT.toMillis());
            }
        }
        return open;
    }

    private synchronized @Nullable Connection opened() {
        return session;
    }

    private synchronized void keep(Connection open) {
        session = open;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void pause() {
        long until = System.nanoTime() + interval.toNanos();
        try {
            for (long left = interval.toNanos(); left > 0 && !closed; left = until - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException end) {
            closed = true;
        }
    }

    private synchronized void cut() {
        if (session != null) {
            try {
                session.close();
            } catch (SQLException alreadyCut) {
                LOG.debug("session that watched {} not closed: {}", node.name(), alreadyCut.getMessage());
            }
            session = null;
        }
    }

    /** Ends the session; one that hangs is left to its own time limits. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        try {
            thread.join(LEAVE.toMillis());
        } catch (InterruptedException later) {
            Thread.currentThread().interrupt();
        }
    }
}
