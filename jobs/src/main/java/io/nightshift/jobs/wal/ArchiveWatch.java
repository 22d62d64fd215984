package io.nightshift.jobs.wal;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.SynchronousStandbyNames;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.run.StepThreads;
import io.nightshift.infra.wal.WalArchiver;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the archive's slots on all nodes, on a thread of its own, whether WAL is streamed or not: a slot that keeps
 * too much is given up, those of the standbys follow what is durable in the archive, and never go beyond. It ends a stream
 * that production would have to wait for. Thread-safe.
 */
final class ArchiveWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ArchiveWatch.class);

    private static final Duration EVERY = Duration.ofSeconds(2);
    private static final int ANSWER_MILLIS = 5_000;
    private static final String EXISTS_ALREADY = "42710";

    /** The stream that runs now. */
    record Streaming(
            NodeAddress node, SystemIdentifier system, ReplicationConnection connection, WalArchiver archiver) {}

    private final RunContext run;
    private final ManagedCluster cluster;
    private final String name;
    private final WalArchiveSettings settings;
    private final Map<NodeAddress, Connection> sessions = new HashMap<>();
    private final Set<NodeAddress> kept = new HashSet<>();
    private final Semaphore wake = new Semaphore(0);
    private volatile @Nullable Streaming streaming;
    private volatile Lsn durable = Lsn.INVALID;
    private volatile @Nullable NightshiftException failure;
    private volatile @Nullable String objection;
    private volatile boolean closing;
    private @Nullable Thread thread;

    /** @param name of the slots */
    ArchiveWatch(RunContext run, ManagedCluster cluster, String name) {
        this.run = run;
        this.cluster = cluster;
        this.name = name;
        this.settings = run.settings(WalArchiveSettings.class);
    }

    String slot() {
        return name;
    }

    void start() {
        thread = StepThreads.named("wal-archive-watch").start(() -> {
            do {
                look();
            } while (!closes());
        });
    }

    private boolean closes() {
        try {
            if (wake.tryAcquire(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                wake.drainPermits();
            }
            return closing;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** A stream begins; before this location everything is in the archive. */
    void streams(Streaming begun) {
        objection = null;
        streaming = begun;
        wake.release(); // The standbys' slots are there before anything happens to the primary.
    }

    /** It has ended. */
    void streamsNoMore() {
        Streaming ended = streaming;
        if (ended != null) {
            durable = ended.archiver().durable();
            streaming = null;
        }
    }

    /** What the archive is known to hold, without a gap but those on record; 0/0 before the first stream. */
    Lsn durable() {
        Streaming now = streaming;
        return now == null ? durable : now.archiver().durable();
    }

    /** Bytes that have come with the present stream. */
    long received() {
        Streaming now = streaming;
        return now == null ? 0 : now.archiver().received();
    }

    /** Whether nothing speaks against the present stream. */
    boolean agrees() {
        return failure == null && objection == null;
    }

    /** Why the last stream had to end; null when it had not. */
    @Nullable
    String objection() {
        return objection;
    }

    /** Throws what ends the run. */
    void check() {
        NightshiftException ends = failure;
        if (ends != null) {
            throw ends;
        }
    }

    /** Looks at every node that answers. */
    void look() {
        try {
            cluster.observed().answered().forEach(node -> look(node.node()));
            Streaming now = streaming;
            if (now != null
                    && now.archiver().isHeldUp()
                    && cluster.observed().answered().stream()
                            .map(Answered::node)
                            .noneMatch(now.node()::equals)) {
                // A server that shuts down waits for whoever streams from it.
                object(now, now.node() + " does not answer any more, and the storage is slow");
            }
        } catch (RuntimeException e) {
            LOG.warn("slots of cluster {} not looked at: {}", cluster.name(), e.getMessage(), e);
        }
    }

    private synchronized void look(NodeAddress node) {
        try {
            Connection session = session(node);
            judge(node, session, ArchiveSlot.read(session, name));
        } catch (SQLException | NightshiftException e) {
            close(sessions.remove(node));
            LOG.warn("slot {} of {} not looked at: {}", name, node, e.getMessage());
        }
    }

    private Connection session(NodeAddress node) throws SQLException {
        Connection known = sessions.get(node);
        if (known != null) {
            return known;
        }
        Connection session = cluster.node(node).direct(run.purpose());
        sessions.put(node, session);
        session.setNetworkTimeout(Runnable::run, ANSWER_MILLIS);
        return session;
    }

    private void judge(NodeAddress node, Connection session, ArchiveSlot seen) throws SQLException {
        Streaming now = streaming;
        if (!seen.inRecovery() && durable().isValid()) {
            measure(seen);
        }
        if (now != null && now.node().equals(node)) {
            try {
                requireAsynchronous(node, seen);
            } catch (NightshiftException synchronous) {
                failure = synchronous;
                now.connection().cancel(String.valueOf(synchronous.getMessage()));
                return;
            }
        }
        if (seen.retained() >= settings.muchRetained().bytes() && !isWithinLimit(node, session, seen, now)) {
            return;
        }
        if (now != null && isOf(now.system(), node)) {
            keep(node, session, seen);
        }
    }

    private boolean isOf(SystemIdentifier system, NodeAddress node) {
        return cluster.known().answered().stream()
                .anyMatch(seen -> seen.node().equals(node) && seen.system().equals(system));
    }

    /** Says that the slot keeps much; at the limit it is given up. */
    private boolean isWithinLimit(NodeAddress node, Connection session, ArchiveSlot seen, @Nullable Streaming now)
            throws SQLException {
        String kept = new DataSize(seen.retained()).rounded() + " of WAL of at most " + settings.maxRetained();
        if (seen.retained() < settings.maxRetained().bytes()) {
            report(
                    "wal/retained/" + node,
                    Severity.WARNING,
                    node,
                    "keeps " + kept + " for the archive",
                    "see why the archive is behind: is a storage slow, full or away?");
            return true;
        }
        if (settings.onLimit() == WalArchiveSettings.OnLimit.HOLD) {
            report(
                    "wal/retained/" + node,
                    Severity.CRITICAL,
                    node,
                    "keeps " + kept + " for the archive, and on-limit is hold: its disk fills",
                    "mend the storage, or give the slot up: SELECT pg_drop_replication_slot('" + name + "')");
            return true;
        }
        if (now != null && now.node().equals(node)) {
            object(now, "slot " + name + " of " + node + " keeps " + kept);
            now.connection().cancel("its slot keeps " + kept);
        }
        if (drop(session)) {
            this.kept.remove(node);
            report(
                    "wal/slot-dropped/" + node,
                    Severity.ERROR,
                    node,
                    "kept " + kept + " for the archive: slot " + name + " was dropped, to save the server's disk",
                    "mend the storage; what the server removes before that is a gap, and needs a full backup");
        }
        return false;
    }

    private void object(Streaming now, String why) {
        if (now.equals(streaming) && objection == null) {
            LOG.warn("stream of WAL of cluster {} ends: {}", cluster.name(), why);
            objection = why;
        }
    }

    private void measure(ArchiveSlot seen) {
        run.measured(new Figure("archive lag", Math.max(0, seen.flushed().minus(durable())), "bytes"));
        run.measured(new Figure("retained WAL", seen.retained(), "bytes"));
    }

    /** Fails when commits may wait for us. */
    private void requireAsynchronous(NodeAddress node, ArchiveSlot seen) {
        if (SynchronousStandbyNames.match(seen.synchronous(), ReplicationConnection.APPLICATION_NAME)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "synchronous_standby_names of " + node + " is '" + seen.synchronous()
                            + "', which matches the archive ('" + ReplicationConnection.APPLICATION_NAME
                            + "'): commits would wait for it",
                    "name the standbys that commits are to wait for: ALTER SYSTEM SET synchronous_standby_names = '…';"
                            + " SELECT pg_reload_conf()");
        }
    }

    /**
     * Makes sure that the primary has the slot and that it keeps WAL.
     *
     * @return how it is then
     */
    synchronized ArchiveSlot ensure(ManagedNode primary) {
        NodeAddress node = primary.address();
        try {
            if (sessions.containsKey(node) && !session(node).isValid(ANSWER_MILLIS / 1000)) {
                close(sessions.remove(node));
            }
            Connection session = session(node);
            ArchiveSlot seen = ArchiveSlot.read(session, name);
            requireAsynchronous(node, seen);
            if (seen.restart() == null) {
                make(node, session, seen);
                seen = ArchiveSlot.read(session, name);
            }
            kept.add(node);
            return seen;
        } catch (SQLException e) {
            close(sessions.remove(node));
            throw SqlStates.failure("slot " + name + " of " + node + " not read", e);
        }
    }

    private void keep(NodeAddress node, Connection session, ArchiveSlot seen) throws SQLException {
        Lsn restart = seen.restart();
        if (restart == null) {
            try {
                make(node, session, seen);
                kept.add(node);
            } catch (NightshiftException e) {
                report(
                        "wal/slot-missing/" + node,
                        Severity.WARNING,
                        node,
                        "has no slot for the archive: " + e.getMessage(),
                        e.hint());
            }
            return;
        }
        kept.add(node);
        Lsn archived = durable();
        if (seen.inRecovery() && restart.isBefore(archived)) {
            advance(session, archived);
        }
    }

    private void make(NodeAddress node, Connection session, ArchiveSlot seen) throws SQLException {
        ArchiveSlot.Slot useless = seen.slot();
        if (useless != null && useless.lost() != null) {
            report(
                    "wal/slot-lost/" + node,
                    Severity.ERROR,
                    node,
                    "slot " + name + " has lost WAL that the archive needed (" + useless.lost()
                            + "), and was made anew",
                    "let max_slot_wal_keep_size be -1 and idle_replication_slot_timeout 0: max-retained of this job limits"
                            + " what the slot keeps");
        } else if (useless == null && kept.contains(node)) {
            report(
                    "wal/slot-gone/" + node,
                    Severity.WARNING,
                    node,
                    "somebody has dropped slot " + name + "; it was made anew",
                    "leave it: without it the server removes WAL before it is archived");
        }
        if (useless != null && !drop(session)) {
            return;
        }
        try (PreparedStatement statement = session.prepareStatement(
                "SELECT pg_create_physical_replication_slot(?, immediately_reserve => true)")) {
            statement.setString(1, name);
            statement.execute();
            LOG.info("slot {} of {} made", name, node);
        } catch (SQLException e) {
            if (!EXISTS_ALREADY.equals(e.getSQLState())) {
                throw SqlStates.failure("slot " + name + " of " + node + " not made", e);
            }
        }
    }

    /** False while somebody uses it. */
    private boolean drop(Connection session) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement("SELECT pg_drop_replication_slot(?)")) {
            statement.setString(1, name);
            statement.execute();
            return true;
        } catch (SQLException e) {
            if (SqlStates.OBJECT_IN_USE.equals(e.getSQLState())) {
                return false;
            }
            throw e;
        }
    }

    /** A standby goes no further than it has replayed. */
    private void advance(Connection session, Lsn location) throws SQLException {
        try (PreparedStatement statement =
                session.prepareStatement("SELECT pg_replication_slot_advance(?, CAST(? AS pg_lsn))")) {
            statement.setString(1, name);
            statement.setString(2, location.toString());
            statement.execute();
        }
    }

    private void report(String key, Severity severity, NodeAddress node, String detail, @Nullable String remedy) {
        LOG.warn("{} {}", node, detail);
        run.report(new Finding(key, severity, "WAL archive of " + cluster.name() + " at " + node, detail, remedy));
    }

    @Override
    public void close() {
        closing = true;
        wake.release();
        Thread looks = thread;
        if (looks != null) {
            try {
                looks.join(ANSWER_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        synchronized (this) {
            sessions.values().forEach(ArchiveWatch::close);
            sessions.clear();
        }
    }

    private static void close(@Nullable Connection session) {
        try {
            if (session != null) {
                session.close();
            }
        } catch (SQLException cut) {
            LOG.debug("session not closed: {}", cut.getMessage());
        }
    }
}
