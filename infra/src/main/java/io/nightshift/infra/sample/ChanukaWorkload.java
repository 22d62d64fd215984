package io.nightshift.infra.sample;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The users of Chanuka at work on a database that holds the sample. Each transaction is one statement of
 * {@link ChanukaTransaction}. The first failure ends the workload; nothing is retried. Thread-safe.
 */
public final class ChanukaWorkload implements AutoCloseable {

    /** Where connections come from, such as {@code dataSource::getConnection}; they are closed at the end. */
    @FunctionalInterface
    public interface Connections {
        Connection open() throws SQLException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(ChanukaWorkload.class);
    /** How long a transaction that was under way may take to end when the workload is closed. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final WorkloadPlan plan;
    private final Choice.Population population;
    private final List<Connection> connections;
    private final List<Thread> threads = new ArrayList<>();
    private final long startedAt = System.nanoTime();
    private final AtomicLong numbers = new AtomicLong();
    private final Map<ChanukaTransaction, LongAdder> counts = new EnumMap<>(ChanukaTransaction.class);
    private final ConcurrentLinkedQueue<LoggedCommit> commits = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable NightshiftException> failure = new AtomicReference<>();
    private final CountDownLatch stopRequest = new CountDownLatch(1);
    private volatile long lastEndAt;

    private ChanukaWorkload(WorkloadPlan plan, Choice.Population population, List<Connection> connections) {
        this.plan = plan;
        this.population = population;
        this.connections = List.copyOf(connections);
        plan.kinds().forEach(kind -> counts.put(kind, new LongAdder()));
    }

    /**
     * Starts the workload on threads of its own.
     *
     * @throws NightshiftException if there is no connection or no sample
     */
    public static ChanukaWorkload start(Connections source, WorkloadPlan plan) {
        List<Connection> connections = new ArrayList<>();
        try {
            for (int i = 0; i < plan.connections(); i++) {
                connections.add(source.open());
            }
            var workload = new ChanukaWorkload(plan, population(connections.get(0)), connections);
            workload.startThreads();
            return workload;
        } catch (SQLException refused) {
            connections.forEach(ChanukaWorkload::closeQuietly);
            throw SqlStates.failure("start of the Chanuka workload", refused);
        } catch (RuntimeException refused) {
            connections.forEach(ChanukaWorkload::closeQuietly);
            throw refused;
        }
    }

    /** Runs the workload to its end, or until it is cancelled, which is an end like any other. */
    public static WorkloadReport run(Connections source, WorkloadPlan plan, Cancellation cancellation) {
        try (ChanukaWorkload workload = start(source, plan)) {
            Cancellation.Registration registration = cancellation.onCancel(workload.stopRequest::countDown);
            try {
                return workload.await();
            } finally {
                registration.close();
            }
        }
    }

    /** Waits for the end; throws the failure that ended it. */
    public WorkloadReport await() {
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new NightshiftException(
                    FailureKind.CANCELLED, "interrupted while the Chanuka workload ran", null, interrupted);
        }
        NightshiftException first = failure.get();
        if (first != null) {
            throw first;
        }
        return report();
    }

    /** Lets the transactions under way end and waits for them; throws the failure that ended it, if one did. */
    public WorkloadReport stop() {
        stopRequest.countDown();
        return await();
    }

    /** What has been committed so far, also after a failure. */
    public WorkloadReport report() {
        Map<ChanukaTransaction, Long> committed = new EnumMap<>(ChanukaTransaction.class);
        counts.forEach((kind, count) -> committed.put(kind, count.sum()));
        long until = isRunning() ? System.nanoTime() : lastEndAt;
        return new WorkloadReport(committed, Duration.ofNanos(until - startedAt));
    }

    /**
     * The writes that the server has confirmed so far, also after a failure; empty without a commit log. A connection
     * that is cut while it commits may leave one write of which only the database knows.
     */
    public List<LoggedCommit> commits() {
        return List.copyOf(commits);
    }

    public boolean isRunning() {
        return threads.stream().anyMatch(Thread::isAlive);
    }

    /** Stops; a transaction that does not end within ten seconds is cut off. Failures are left to {@link #await()}. */
    @Override
    public void close() {
        close(PATIENCE);
    }

    void close(Duration patience) {
        stopRequest.countDown();
        long deadline = System.nanoTime() + patience.toNanos();
        try {
            for (Thread thread : threads) {
                thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        if (isRunning()) {
            connections.forEach(ChanukaWorkload::abort);
        }
    }

    private void startThreads() {
        for (Connection connection : connections) {
            var thread = new Thread(() -> work(connection), "chanuka-workload-" + (threads.size() + 1));
            thread.setDaemon(true);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
    }

    private void work(Connection connection) {
        try (connection;
                var session = new WorkloadSession(connection, plan.commitLog(), commits::add)) {
            for (long number = next(); number >= 0; number = next()) {
                var choice = new Choice(plan.seed(), number, population);
                ChanukaTransaction kind = choice.kind(plan.kinds());
                session.run(kind, choice);
                Objects.requireNonNull(counts.get(kind)).increment();
            }
        } catch (SQLException broken) {
            fail(SqlStates.failure("Chanuka workload", broken));
        } catch (InterruptedException unexpected) {
            fail(NightshiftException.of(unexpected));
        } catch (RuntimeException failed) {
            fail(NightshiftException.of(failed));
        } finally {
            lastEndAt = System.nanoTime();
        }
    }

    /** The number of the next transaction, once it is due; negative when there is none. */
    private long next() throws InterruptedException {
        long number = numbers.getAndIncrement();
        if (plan.transactions() != null && number >= plan.transactions()) {
            return -1;
        }
        long now = System.nanoTime();
        long due = plan.transactionsPerSecond() == null
                ? now
                : startedAt + (long) (number / plan.transactionsPerSecond() * 1e9);
        if (plan.duration() != null
                && Math.max(due - startedAt, now - startedAt) >= plan.duration().toNanos()) {
            return -1;
        }
        boolean stopped = stopRequest.await(due - now, TimeUnit.NANOSECONDS);
        return stopped ? -1 : number;
    }

    private void fail(NightshiftException cause) {
        failure.compareAndSet(null, cause);
        stopRequest.countDown();
    }

    private static Choice.Population population(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet counts = statement.executeQuery("""
                        SELECT (SELECT max(id) FROM chanuka.users), (SELECT max(id) FROM chanuka.bills),
                               (SELECT max(id) FROM chanuka.legislators), (SELECT max(id) FROM chanuka.tags)""")) {
            counts.next();
            return new Choice.Population(counts.getLong(1), counts.getLong(2), counts.getInt(3), counts.getInt(4));
        }
    }

    private static void abort(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException gone) {
            LOG.debug("connection of the Chanuka workload not cut: {}", gone.getMessage());
        }
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException gone) {
            LOG.debug("connection of the Chanuka workload not closed: {}", gone.getMessage());
        }
    }
}
