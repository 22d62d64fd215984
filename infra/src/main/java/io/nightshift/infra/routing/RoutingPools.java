package io.nightshift.infra.routing;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.run.Timings;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Short work on whichever node its intent asks for, over pooled sessions. Whoever reads does not notice a promotion, but
 * for some seconds; whoever writes is told when nobody can know what became of it. Thread-safe.
 */
public final class RoutingPools implements AutoCloseable {

    /** How long reading and writing are tried again. */
    public static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);

    /** So long closing waits for sessions that are cut. */
    private static final Duration CUT = Duration.ofSeconds(1);

    /** Work that takes longer is a reason to see whether the node still answers. */
    private static final Duration DOUBTFUL = Duration.ofSeconds(1);

    /** The node is no longer what it was, or its sessions are over. */
    private static final Set<String> ROLE_CHANGED = Set.of(SqlStates.READ_ONLY, "57P01", "57P02", "57P03");

    private record Key(NodeAddress node, String database) {}

    private final NodeSessions sessions;
    private final NodeMonitor monitor;
    private final NodeBreakers breakers;
    private final Map<Key, NodePool> pools = new ConcurrentHashMap<>();
    private final ScheduledExecutorService doubts;
    private volatile boolean closed;

    RoutingPools(NodeSessions sessions, NodeMonitor monitor) {
        this.sessions = sessions;
        this.monitor = monitor;
        this.breakers = new NodeBreakers(sessions.cluster().name());
        this.doubts = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "node-doubts " + sessions.cluster().name());
            thread.setDaemon(true);
            return thread;
        });
        monitor.onLook(this::seen);
    }

    /**
     * Reads, in one read-only transaction. What fails because a node is gone, or is not what it was, is done again from
     * the beginning for ten seconds, elsewhere if need be.
     *
     * @param purpose seen in {@code pg_stat_activity} behind {@code nightshift}
     * @throws NightshiftException the last failure
     */
    public <T> T read(Intent intent, String database, String purpose, SqlWork<T> work) {
        return again(
                intent,
                (node, until) -> onNode(node, database, purpose, until, (connection, left) -> {
                    connection.setReadOnly(true);
                    connection.setAutoCommit(false);
                    limit(connection, left);
                    T result = readOnly(connection, purpose, work);
                    connection.commit();
                    return result;
                }));
    }

    /** Also on a standby that was promoted, the transaction is what refuses: the work is wrong, not the node. */
    private static <T> T readOnly(Connection connection, String purpose, SqlWork<T> work) throws SQLException {
        try {
            return work.on(connection);
        } catch (SQLException e) {
            if (SqlStates.READ_ONLY.equals(e.getSQLState())) {
                throw new NightshiftException(
                        FailureKind.BUG, purpose + " writes where it said that it reads: " + e.getMessage(), null, e);
            }
            throw e;
        }
    }

    /**
     * Writes, in one transaction on the primary. It is done again for ten seconds as long as it is certain that nothing
     * was committed.
     *
     * @throws NightshiftException the last failure; one that says so when it is not known whether the transaction was
     *     committed
     */
    public <T> T write(String database, String purpose, SqlWork<T> work) {
        return again(
                Intent.PRIMARY,
                (node, until) -> onNode(node, database, purpose, until, (connection, left) -> {
                    connection.setAutoCommit(false);
                    limit(connection, left);
                    requireSamePrimary(connection, node);
                    T result = work.on(connection);
                    commit(connection, node);
                    return result;
                }));
    }

    /** Nothing goes on at the server that nobody waits for. */
    private static void limit(Connection connection, Duration left) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET LOCAL statement_timeout = " + left.toMillis());
        }
    }

    @FunctionalInterface
    private interface Attempt<T> {
        /** Tries until then, of {@link System#nanoTime}. */
        T on(Answered node, long until);
    }

    private <T> T again(Intent intent, Attempt<T> attempt) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        Duration pause = FIRST_PAUSE;
        ObservedCluster seen = monitor.observed();
        while (true) {
            try {
                Answered node = seen.choose(intent, this::burden, ThreadLocalRandom.current());
                return breakers.call(node.node(), () -> attempt.on(node, until));
            } catch (NightshiftException e) {
                if (closed
                        || !e.kind().isTransient()
                        || isUncertain(e)
                        || System.nanoTime() + pause.toNanos() > until) {
                    throw e;
                }
            }
            LockSupport.parkNanos(pause.toNanos());
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
            seen = monitor.observeNow();
        }
    }

    private <T> T onNode(Answered node, String database, String purpose, long until, NodePool.Loan<T> loan) {
        NodePool pool = pool(node, database);
        Future<?> doubt = doubts.schedule(() -> monitor.doubt(node.node()), DOUBTFUL.toMillis(), TimeUnit.MILLISECONDS);
        long begun = System.nanoTime();
        try {
            return pool.lend(purpose, until, (connection, left) -> {
                boolean done = false;
                try {
                    T result = loan.with(connection, left);
                    done = true;
                    return result;
                } finally {
                    if (!done) {
                        rollBack(connection);
                    }
                }
            });
        } catch (SQLException e) {
            Optional<NightshiftException> own = own(e);
            if (own.isPresent()) {
                monitor.doubt(node.node());
                throw own.get();
            }
            String state = String.valueOf(e.getSQLState());
            if (ROLE_CHANGED.contains(state) || state.startsWith("08")) {
                pool.evict();
                monitor.doubt(node.node());
            }
            String doing = purpose + " on " + node.node() + " of cluster "
                    + sessions.cluster().name();
            throw state.equals(SqlStates.QUERY_CANCELED) && System.nanoTime() - until >= 0
                    ? tooLong(doing, e)
                    : SqlStates.failure(doing, e);
        } finally {
            doubt.cancel(false);
            Timings.spent(Timings.Kind.SQL, Duration.ofNanos(System.nanoTime() - begun));
        }
    }

    /** The failure that is told already, somewhere among the causes. */
    private static Optional<NightshiftException> own(SQLException thrown) {
        for (Throwable cause = thrown.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof NightshiftException told) {
                return Optional.of(told);
            }
        }
        return Optional.empty();
    }

    private static NightshiftException tooLong(String doing, SQLException e) {
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                doing + ": not done within " + Durations.print(PATIENCE),
                "see in pg_stat_activity what it waits for, or what keeps the server busy",
                e);
    }

    private static void rollBack(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException over) {
            // the server does the same when the session ends
        }
    }

    /** The session may lead to a server that has become another since it was observed, and since it was opened. */
    private void requireSamePrimary(Connection connection, Answered observed) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT CASE WHEN NOT pg_is_in_recovery()"
                        + " THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END");
                ResultSet row = statement.executeQuery()) {
            row.next();
            int timeline = row.getInt(1);
            if (timeline == 0 || !new Timeline(timeline).equals(observed.timeline())) {
                throw new SQLException(
                        "it is no longer the primary of timeline " + observed.timeline(), SqlStates.READ_ONLY);
            }
        }
    }

    private void commit(Connection connection, Answered node) throws SQLException {
        try {
            connection.commit();
        } catch (SQLException e) {
            FailureKind kind = SqlStates.kind(e.getSQLState());
            if (kind == FailureKind.POSTGRES_UNAVAILABLE
                    && !String.valueOf(e.getSQLState()).startsWith("40")) {
                throw new SQLException(e.getMessage(), e.getSQLState(), new Uncertain(sessions, node, e).failure());
            }
            throw e;
        }
    }

    /** Nobody knows whether it was committed: doing it again might do it twice. */
    private record Uncertain(NodeSessions sessions, Answered node, SQLException cause) {

        NightshiftException failure() {
            return new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "connection to " + node.node() + " of cluster "
                            + sessions.cluster().name()
                            + " lost while committing: whether the transaction was committed is not known",
                    "look at what it should have changed before it is done again",
                    new UncertainCommit(cause));
        }
    }

    private static final class UncertainCommit extends SQLException {
        UncertainCommit(SQLException cause) {
            super(cause.getMessage(), cause.getSQLState(), cause);
        }
    }

    private static boolean isUncertain(NightshiftException failure) {
        return failure.getCause() instanceof UncertainCommit;
    }

    private NodePool pool(Answered node, String database) {
        Key place = new Key(node.node(), database);
        NodePool[] old = {null};
        NodePool pool = pools.compute(place, (key, known) -> {
            if (known != null && known.part().equals(node.part())) {
                return known;
            }
            old[0] = known;
            return new NodePool(sessions, node.node(), database, node.part());
        });
        end(old[0]);
        // Asked afterwards: what is made while all are closed is seen here or there.
        if (closed) {
            if (pools.remove(place, pool)) {
                end(pool);
            }
            throw new NightshiftException(
                    FailureKind.CANCELLED,
                    "the pools of cluster " + sessions.cluster().name() + " are closed");
        }
        return pool;
    }

    /** What was lent by a node that does not answer any more, or is no longer what it was, is over at once. */
    private void seen(NodeObservation observation) {
        breakers.seen(observation);
        pools.forEach((key, pool) -> {
            boolean over =
                    !(observation instanceof Answered answered) || !pool.part().equals(answered.part());
            if (key.node().equals(observation.node()) && over && pools.remove(key, pool)) {
                end(pool);
            }
        });
    }

    /** On a thread of its own: a pool waits for what it cuts. */
    private static Optional<Thread> end(@Nullable NodePool pool) {
        if (pool == null) {
            return Optional.empty();
        }
        Thread closer = new Thread(pool::close, "node-pool-end");
        closer.setDaemon(true);
        closer.start();
        return Optional.of(closer);
    }

    /** What tells for another node: one that has failed too often comes last. */
    int burden(NodeAddress node) {
        return breakers.isClosed(node) ? lent(node) : ObservedCluster.LEFT_ALONE;
    }

    /** Opens a session or a connection outside of the pools: it is tried, and tells how the node is, in any case. */
    <T> T noted(NodeAddress node, NodeBreakers.Call<T> opening) {
        return breakers.noted(node, opening);
    }

    /** How the breaker of a node stands: closed, open, half-open. */
    public String breaker(NodeAddress node) {
        return breakers.state(node);
    }

    /** Sessions of ours that work on a node now, or are waited for. */
    public int lent(NodeAddress node) {
        return pools.entrySet().stream()
                .filter(entry -> entry.getKey().node().equals(node))
                .mapToInt(entry -> entry.getValue().lent())
                .sum();
    }

    /** Waits until nothing is lent, up to the limit; then cuts what still is, all at the same time, within a second. */
    public void close(Duration limit) {
        closed = true;
        long until = System.nanoTime() + limit.toNanos();
        while (pools.values().stream().anyMatch(pool -> pool.lent() > 0) && System.nanoTime() < until) {
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
        doubts.shutdownNow();
        long cutBy = System.nanoTime() + CUT.toNanos();
        List<Thread> ending = pools.values().stream()
                .map(RoutingPools::end)
                .flatMap(Optional::stream)
                .toList();
        for (Thread each : ending) {
            try {
                each.join(Math.max(1, (cutBy - System.nanoTime()) / 1_000_000));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }
}
