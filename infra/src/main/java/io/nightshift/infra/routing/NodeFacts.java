package io.nightshift.infra.routing;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Life;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the servers of a cluster are. Each is asked once in a part of its life and database, and again after a minute:
 * nothing tells of new extensions and grants. Thread-safe.
 */
final class NodeFacts {

    private static final Duration FRESH = Duration.ofMinutes(1);

    private static final int ANSWER_MILLIS = 10_000;

    private record Place(NodeAddress node, String database) {}

    /** @param life in which they were asked for; null when nobody had seen the node yet */
    private record Known(ServerFacts facts, @Nullable Life life, Instant at) {}

    private final NodeMonitor monitor;
    private final Clock clock;
    private final Map<Place, Known> known = new ConcurrentHashMap<>();

    NodeFacts(NodeMonitor monitor, Clock clock) {
        this.monitor = monitor;
        this.clock = clock;
    }

    /** @param session opens one in the database, if one is needed */
    ServerFacts of(NodeAddress node, String database, Supplier<Connection> session) {
        Life now = life(monitor.observeNow(node));
        Known before = known.get(new Place(node, database));
        if (before != null && before.life() != null && before.life().equals(now) && isFresh(before)) {
            return before.facts();
        }
        try (Connection opened = session.get()) {
            opened.setNetworkTimeout(Runnable::run, ANSWER_MILLIS);
            return ask(node, opened);
        } catch (SQLException e) {
            throw SqlStates.failure("facts of node " + node + " not read", e);
        }
    }

    private boolean isFresh(Known facts) {
        return Duration.between(facts.at(), clock.instant()).compareTo(FRESH) < 0;
    }

    ServerFacts ask(NodeAddress node, Connection session) throws SQLException {
        Instant at = clock.instant();
        // Seen before it is asked: what changes meanwhile is asked for again.
        Life life = life(monitor.known().node(node));
        ServerFacts facts = ServerFacts.of(session);
        known.put(new Place(node, facts.database()), new Known(facts, life, at));
        return facts;
    }

    Optional<ServerFacts> known(NodeAddress node, String database) {
        Life now = life(monitor.known().node(node));
        return Optional.ofNullable(known.get(new Place(node, database)))
                .filter(found -> now != null && now.equals(found.life()))
                .map(Known::facts);
    }

    private static @Nullable Life life(Optional<NodeObservation> seen) {
        return seen.filter(Answered.class::isInstance)
                .map(Answered.class::cast)
                .map(Answered::life)
                .orElse(null);
    }
}
