package io.nightshift.infra.routing;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Set;

/**
 * Why it is not certain which node is the primary, or whether all nodes are one cluster.
 *
 * @param nodes that have said so
 */
public record Conflict(String fact, String hint, Set<NodeAddress> nodes) {

    public Conflict {
        nodes = Set.copyOf(nodes);
    }

    NightshiftException refusal() {
        return new NightshiftException(FailureKind.REFUSED, fact, hint);
    }
}
