package io.nightshift.jobs.integrity;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.StepThreads;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Sees whether anybody waits for a lock that a session of ours has, and cancels what that session does. Nobody waits for us
 * much longer than it takes to look once.
 */
public final class GiveWay implements AutoCloseable {

    private static final Duration LOOK_AGAIN = Duration.ofMillis(25);

    /** Without rights to see what others do: locks are seen by all. */
    private static final String WAITED_FOR = """
            SELECT DISTINCT blocking, pg_cancel_backend(blocking)
              FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted) AS waiting,
                   unnest(pg_blocking_pids(waiting.pid)) AS blocking
             WHERE blocking = ANY ('{%s}'::int[]) AND NOT waiting.pid = ANY ('{%s}'::int[])
            """;

    private final CheckSession session;
    private final Set<Integer> working = ConcurrentHashMap.newKeySet();
    private final Thread thread;
    private volatile boolean closed;
    private volatile @Nullable SQLException blind;

    /** @param session of its own, closed with this */
    public GiveWay(CheckSession session) {
        this.session = session;
        this.thread = StepThreads.named("give-way").start(this::watch);
    }

    /**
     * A session begins to work.
     *
     * @throws SQLException if nobody would see who waits for it
     */
    public void begins(int process) throws SQLException {
        SQLException lost = blind;
        if (lost != null) {
            throw new SQLException("who waits for us is not seen any more: " + lost.getMessage(), "08006", lost);
        }
        working.add(process);
    }

    /** It has ended what it did. */
    public void ends(int process) {
        working.remove(process);
    }

    private void watch() {
        while (!closed) {
            LockSupport.parkNanos(LOOK_AGAIN.toNanos());
            String ours = working.stream().map(String::valueOf).collect(Collectors.joining(","));
            if (!ours.isEmpty()) {
                try {
                    session.rows(WAITED_FOR.formatted(ours, ours));
                } catch (SQLException e) {
                    blind = e;
                    return;
                } catch (NightshiftException stopped) {
                    return; // so does everything that works
                }
            }
        }
    }

    @Override
    public void close() throws SQLException {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        session.close();
    }
}
