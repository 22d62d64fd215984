package io.nightshift.infra.routing;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Life;
import io.nightshift.infra.routing.NodeObservation.Receiver;
import io.nightshift.infra.routing.NodeObservation.Sessions;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at one node again and again, on a thread and over a session of its own: a node that hangs holds up no other. When
 * nobody has asked for a minute it rests until somebody does. Thread-safe.
 */
final class NodeWatch implements AutoCloseable {

    private static final Duration EVERY = Duration.ofSeconds(5);
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);
    private static final Duration RESTS_AFTER = Duration.ofMinutes(1);

    /** Older ones are looked at again before somebody relies on them. */
    private static final Duration FRESH = EVERY.plusSeconds(1);

    /** So long whoever asks waits for a node. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** The same for a node that did not answer before, and is asked all the time: one that is back does at once. */
    private static final Duration LITTLE_PATIENCE = Duration.ofMillis(500);

    private static final int ANSWER_MILLIS = 3_000;

    private static final String SQL = """
            SELECT current_setting('server_version_num') AS version,
                   (SELECT system_identifier FROM pg_control_system()) AS system,
                   pg_is_in_recovery() AS in_recovery,
                   pg_postmaster_start_time() AS started_at,
                   pg_conf_load_time() AS loaded_at,
                   CASE WHEN pg_is_in_recovery()
                        THEN greatest(receiver.received_tli,
                                      (SELECT timeline_id FROM pg_control_checkpoint()),
                                      (SELECT min_recovery_end_timeline FROM pg_control_recovery()))
                        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline,
                   coalesce(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                 ELSE pg_current_wal_flush_lsn() END, '0/0') AS location,
                   receiver.pid IS NOT NULL AS receives,
                   receiver.status,
                   (extract(epoch FROM clock_timestamp() - receiver.last_msg_receipt_time) * 1000)::bigint AS silent,
                   CASE WHEN pg_is_in_recovery()
                        THEN (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint
                   END AS since_replay,
                   (SELECT count(*) FROM pg_stat_activity
                    WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend')::int AS sessions,
                   current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                       - coalesce(current_setting('reserved_connections', true)::int, 0) AS allowed
            FROM (VALUES (1)) AS one LEFT JOIN pg_stat_wal_receiver AS receiver ON true
            """;

    private static final Logger LOG = LoggerFactory.getLogger(NodeWatch.class);

    private final NodeSessions sessions;
    private final NodeAddress node;
    private final Clock clock;
    private final Consumer<NodeObservation> listener;

    private boolean runs;
    private boolean closed;
    private boolean always;
    private long asked;
    private long answered;
    private long askedAt;
    private long lookingSince;
    private long lookedAt;
    private boolean looking;
    private @Nullable NodeObservation latest;

    /** Of the watching thread only. */
    private @Nullable Connection session;

    NodeWatch(NodeSessions sessions, NodeAddress node, Clock clock, Consumer<NodeObservation> listener) {
        this.sessions = sessions;
        this.node = node;
        this.clock = clock;
        this.listener = listener;
    }

    NodeAddress node() {
        return node;
    }

    synchronized Optional<NodeObservation> known() {
        return Optional.ofNullable(latest);
    }

    /** Goes on looking though nobody asks. */
    synchronized void always() {
        always = true;
        ask();
    }

    /** Asks for a look at once; {@link #await} its answer with this number. */
    synchronized long ask() {
        askedAt = System.nanoTime();
        asked++;
        if (!runs && !closed) {
            runs = true;
            Thread thread =
                    new Thread(this::watch, "node-watch " + sessions.cluster().name() + " " + node);
            thread.setDaemon(true);
            thread.start();
        }
        notifyAll();
        return asked;
    }

    /** Asks unless what is known is fresh; the number is for {@link #await}. */
    synchronized long askUnlessFresh() {
        askedAt = System.nanoTime();
        return isFresh() ? answered : ask();
    }

    private boolean isFresh() {
        NodeObservation known = latest;
        if (known == null || !runs) {
            return false;
        }
        boolean young = Duration.between(known.at(), clock.instant()).compareTo(FRESH) < 0;
        // One that hangs is asked all the time: nobody needs to wait for it again.
        return young || (looking && !(known instanceof Answered));
    }

    /** The observation that was asked for; that the node does not answer, when it takes longer than five seconds. */
    synchronized NodeObservation await(long number) {
        long begun = System.nanoTime();
        while (answered < number && !closed && !hasFailedSince(begun)) {
            long since = looking ? Math.min(begun, lookingSince) : begun;
            boolean away = latest != null && !(latest instanceof Answered);
            long left = (away ? LITTLE_PATIENCE : PATIENCE).toNanos() - (System.nanoTime() - since);
            if (left <= 0) {
                break;
            }
            try {
                wait(left / 1_000_000 + 1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        NodeObservation known = latest;
        boolean answers = known instanceof Answered;
        return known != null && (answered >= number || !answers) ? known : silent();
    }

    /** A look that began before somebody asked, and failed meanwhile, is answer enough. */
    private boolean hasFailedSince(long begun) {
        return latest != null && !(latest instanceof Answered) && lookedAt - begun > 0;
    }

    private NodeObservation silent() {
        return new Unreachable(
                node,
                clock.instant(),
                new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        "node " + node + " of cluster " + sessions.cluster().name() + " does not answer within "
                                + Durations.print(PATIENCE),
                        "see whether the server, its disks or the network hang"));
    }

    private void watch() {
        boolean rests = false;
        try {
            while (!rests) {
                long number = begin();
                NodeObservation seen = look();
                tell(seen);
                rests = !goesOnAfter(seen, number);
            }
        } finally {
            if (!rests) {
                fell();
            }
        }
    }

    /** What goes wrong with whoever listens is not the node's. */
    private void tell(NodeObservation seen) {
        try {
            listener.accept(seen);
        } catch (RuntimeException e) {
            LOG.error(
                    "look at node {} of cluster {} not told",
                    node,
                    sessions.cluster().name(),
                    e);
        }
    }

    /** Whoever asks next starts it again. */
    private synchronized void fell() {
        runs = false;
        looking = false;
        closeSession();
        notifyAll();
    }

    private synchronized long begin() {
        looking = true;
        lookingSince = System.nanoTime();
        return asked;
    }

    private synchronized boolean goesOnAfter(NodeObservation seen, long number) {
        looking = false;
        lookedAt = System.nanoTime();
        latest = seen;
        answered = number;
        notifyAll();
        long left = (seen instanceof Answered ? EVERY : AFTER_FAILURE).toNanos();
        long until = System.nanoTime() + left;
        while (!closed && asked == number && left > 0) {
            try {
                wait(left / 1_000_000 + 1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                closed = true;
            }
            left = until - System.nanoTime();
        }
        boolean rests = !always && asked == number && System.nanoTime() - askedAt > RESTS_AFTER.toNanos();
        runs = !closed && !rests;
        if (!runs) {
            // Whoever asks from here on starts another thread.
            closeSession();
        }
        return runs;
    }

    /** A session that broke may say nothing about the node: it is asked once more over a new one. */
    private NodeObservation look() {
        Instant at = clock.instant();
        boolean kept = session != null;
        try {
            return observe(at);
        } catch (SQLException e) {
            closeSession();
            if (kept && clock.instant().isBefore(at.plusMillis(ANSWER_MILLIS / 2))) {
                return look();
            }
            return new Unreachable(
                    node,
                    at,
                    SqlStates.failure(
                            "node " + node + " of cluster " + sessions.cluster().name() + " not observed", e));
        } catch (PathRefused refused) {
            closeSession();
            return new Unreachable(node, at, refused.reason(), true);
        } catch (NightshiftException e) {
            closeSession();
            return new Unreachable(node, at, e);
        } catch (RuntimeException e) {
            closeSession();
            return new Unreachable(node, at, NightshiftException.of(e));
        }
    }

    private Answered observe(Instant at) throws SQLException, PathRefused {
        Connection connection = session;
        if (connection == null) {
            connection = sessions.straight(node, sessions.cluster().database(), "observe");
            session = connection;
            connection.setNetworkTimeout(Runnable::run, ANSWER_MILLIS);
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(SQL)) {
            row.next();
            return new Answered(
                    node,
                    at,
                    PostgresVersion.parse(row.getString("version")),
                    SystemIdentifier.parse(Long.toUnsignedString(row.getLong("system"))),
                    new Life(
                            row.getBoolean("in_recovery"),
                            row.getTimestamp("started_at").toInstant(),
                            row.getTimestamp("loaded_at").toInstant()),
                    new Timeline(row.getInt("timeline")),
                    Lsn.parse(row.getString("location")),
                    row.getBoolean("receives") ? new Receiver(row.getString("status"), millis(row, "silent")) : null,
                    millis(row, "since_replay"),
                    new Sessions(row.getInt("sessions"), row.getInt("allowed")));
        }
    }

    private static @Nullable Duration millis(ResultSet row, String column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? null : Duration.ofMillis(millis);
    }

    private void closeSession() {
        Connection connection = session;
        session = null;
        if (connection != null) {
            NodeSessions.closeQuietly(connection);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }
}
