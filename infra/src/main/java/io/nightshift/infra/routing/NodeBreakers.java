package io.nightshift.infra.routing;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.circuitbreaker.IllegalStateTransitionException;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps work away from a node that fails it: after half of the last ten calls, five at least, have found the node not
 * available, nothing is tried there for half a minute, or until the monitor has seen it answer; then one call tries.
 * Night work makes few calls, so the windows are small. Thread-safe.
 */
final class NodeBreakers {

    private static final CircuitBreakerConfig CONFIG = CircuitBreakerConfig.custom()
            .slidingWindowType(SlidingWindowType.COUNT_BASED)
            .slidingWindowSize(10)
            .minimumNumberOfCalls(5)
            .failureRateThreshold(50)
            .waitDurationInOpenState(Duration.ofSeconds(30))
            .permittedNumberOfCallsInHalfOpenState(1)
            .recordException(NodeBreakers::isAbsence)
            .build();

    private static final Set<String> ANSWERS = Set.of(SqlStates.READ_ONLY, SqlStates.QUERY_CANCELED);

    private final String cluster;
    private final Map<NodeAddress, CircuitBreaker> breakers = new ConcurrentHashMap<>();

    NodeBreakers(String cluster) {
        this.cluster = cluster;
    }

    /** One call to the node. */
    @FunctionalInterface
    interface Call<T> {
        T make();
    }

    private static boolean isAbsence(Throwable thrown) {
        return thrown instanceof NightshiftException failure
                && failure.kind() == FailureKind.POSTGRES_UNAVAILABLE
                && !isOfAnAnsweringNode(failure);
    }

    /** It has rolled work back, or ended it in time, or is in another part than we thought. */
    private static boolean isOfAnAnsweringNode(NightshiftException failure) {
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                String state = String.valueOf(sql.getSQLState());
                return sql instanceof NodePool.Closed || state.startsWith("40") || ANSWERS.contains(state);
            }
        }
        return false;
    }

    <T> T call(NodeAddress node, Call<T> call) {
        try {
            return breaker(node).executeSupplier(call::make);
        } catch (CallNotPermittedException open) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "node " + node + " of cluster " + cluster
                            + " has failed too often and is left alone for half a minute",
                    "nightshift health shows what is wrong with it",
                    open);
        }
    }

    /** A call that is made in any case, and counts. */
    <T> T noted(NodeAddress node, Call<T> call) {
        CircuitBreaker breaker = breaker(node);
        long begun = breaker.getCurrentTimestamp();
        try {
            T result = call.make();
            breaker.onSuccess(breaker.getCurrentTimestamp() - begun, breaker.getTimestampUnit());
            return result;
        } catch (NightshiftException e) {
            breaker.onError(breaker.getCurrentTimestamp() - begun, breaker.getTimestampUnit(), e);
            throw e;
        }
    }

    /** Whether a call would be made. */
    boolean isClosed(NodeAddress node) {
        return breaker(node).getState() != CircuitBreaker.State.OPEN;
    }

    /** The state as Resilience4j names it, in lower case. */
    String state(NodeAddress node) {
        return breaker(node).getState().name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A node that answers the monitor may be tried again. */
    void seen(NodeObservation observation) {
        CircuitBreaker breaker = breaker(observation.node());
        if (observation instanceof Answered && breaker.getState() == CircuitBreaker.State.OPEN) {
            try {
                breaker.transitionToHalfOpenState();
            } catch (IllegalStateTransitionException tried) {
                // it is no longer open: a call was quicker
            }
        }
    }

    private CircuitBreaker breaker(NodeAddress node) {
        return breakers.computeIfAbsent(node, each -> CircuitBreaker.of(cluster + " " + each, CONFIG));
    }
}
