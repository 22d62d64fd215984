package io.nightshift.infra.routing;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A cluster as its nodes were last seen, in the order of the configuration. Pure: everything that follows from the
 * observations is decided here.
 */
public record ObservedCluster(String name, List<NodeObservation> nodes) {

    public ObservedCluster {
        nodes = List.copyOf(nodes);
    }

    public List<Answered> answered() {
        return nodes.stream()
                .filter(Answered.class::isInstance)
                .map(Answered.class::cast)
                .toList();
    }

    public List<Unreachable> unreachable() {
        return nodes.stream()
                .filter(Unreachable.class::isInstance)
                .map(Unreachable.class::cast)
                .toList();
    }

    /** The one node that takes writes; empty when there is none, and when several claim to be. */
    public Optional<Answered> primary() {
        List<Answered> primaries = primaries();
        return primaries.size() == 1 ? Optional.of(primaries.get(0)) : Optional.empty();
    }

    private List<Answered> primaries() {
        return answered().stream().filter(node -> !node.inRecovery()).toList();
    }

    public List<Answered> standbys() {
        return answered().stream().filter(Answered::inRecovery).toList();
    }

    public Optional<NodeObservation> node(NodeAddress address) {
        return nodes.stream().filter(seen -> seen.node().equals(address)).findFirst();
    }

    /**
     * How much WAL of the primary a standby has not replayed. Empty when it is not known: without a primary nobody can
     * tell, and that is not 0.
     */
    public Optional<DataSize> lag(Answered standby) {
        return primary()
                .map(source -> new DataSize(Math.max(0, source.location().minus(standby.location()))));
    }

    /** Why nothing may be written, begun or cleaned up here until a person has looked; empty when all is well. */
    public Optional<NightshiftException> conflict() {
        List<Answered> seen = answered();
        if (seen.stream().map(Answered::system).distinct().count() > 1) {
            return Optional.of(new NightshiftException(
                    FailureKind.REFUSED,
                    "nodes of cluster " + name + " have different system identifiers: "
                            + seen.stream()
                                    .map(node -> node.node() + " has " + node.system())
                                    .collect(Collectors.joining(", ")),
                    "they are not one cluster; correct nodes in clusters/" + name + ".yaml"));
        }
        List<Answered> primaries = primaries();
        if (primaries.size() > 1) {
            return Optional.of(new NightshiftException(
                    FailureKind.REFUSED,
                    "cluster " + name + " has " + primaries.size() + " nodes that claim to be its primary: "
                            + primaries.stream().map(Answered::node).toList(),
                    "find out which one is right and shut the other down; nothing was done to either"));
        }
        return Optional.empty();
    }
}
