package io.nightshift.infra.routing;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
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
        return thrown instanceof NightshiftException failure && failure.kind() == FailureKind.POSTGRES_UNAVAILABLE;
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
            breaker.transitionToHalfOpenState();
        }
    }

    private CircuitBreaker breaker(NodeAddress node) {
        return breakers.computeIfAbsent(node, each -> CircuitBreaker.of(cluster + " " + each, CONFIG));
    }
}
