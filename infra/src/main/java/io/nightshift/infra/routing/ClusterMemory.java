package io.nightshift.infra.routing;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.routing.NodeObservation.Answered;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is kept in mind of a cluster from look to look: which one it is, and a conflict until it is over. Looks at two
 * nodes are some seconds apart, so that a promotion may look like a conflict: it is one when the nodes say so again. It is
 * over when they have all answered without it; one that is shut down never does, and is forgotten after a minute.
 * Thread-safe.
 */
final class ClusterMemory {

    static final Duration FORGOTTEN = Duration.ofMinutes(1);

    private final String cluster;
    private final List<NodeAddress> configured;
    private final Map<NodeAddress, NodeObservation> latest = new LinkedHashMap<>();
    private @Nullable Lineage lineage;
    private @Nullable Instant doubtedAt;
    private @Nullable Conflict standing;
    private Instant lastSaid = Instant.EPOCH;

    ClusterMemory(String cluster, List<NodeAddress> configured) {
        this.cluster = cluster;
        this.configured = List.copyOf(configured);
    }

    /**
     * Takes in one look.
     *
     * @param now later than whatever was asked for before
     * @return the nodes to look at again at once
     */
    synchronized Set<NodeAddress> seen(NodeObservation look, Instant now) {
        latest.put(look.node(), look);
        lineage = Lineage.after(lineage, latest.values(), latest.keySet().containsAll(configured));
        Optional<Conflict> conflict = with(List.copyOf(latest.values())).contradiction();
        if (conflict.isEmpty()) {
            doubtedAt = null;
            if (isOver(now)) {
                standing = null;
            }
            return Set.of();
        }
        Instant doubted = doubtedAt;
        if (doubted == null) {
            doubtedAt = now;
            return conflict.get().nodes();
        }
        List<Instant> said = conflict.get().nodes().stream()
                .flatMap(node -> Optional.ofNullable(latest.get(node)).stream())
                .map(NodeObservation::at)
                .sorted()
                .toList();
        if (!said.get(0).isBefore(doubted)) {
            standing = conflict.get();
            lastSaid = said.get(said.size() - 1);
        }
        return Set.of();
    }

    private boolean isOver(Instant now) {
        Conflict conflict = standing;
        return conflict != null
                && (!now.isBefore(lastSaid.plus(FORGOTTEN))
                        || conflict.nodes().stream().allMatch(node -> latest.get(node) instanceof Answered));
    }

    /** The cluster with nodes as these looks tell. */
    synchronized ObservedCluster with(List<NodeObservation> nodes) {
        return new ObservedCluster(cluster, nodes, lineage, standing);
    }

    synchronized Optional<Conflict> standing() {
        return Optional.ofNullable(standing);
    }
}
