package io.nightshift.infra.routing;

import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.routing.NodeObservation.Answered;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which cluster it is, as its nodes have been seen: timelines of another system say nothing about it.
 *
 * @param newest the newest timeline that any of its nodes was ever seen on, standbys included
 */
public record Lineage(SystemIdentifier system, Timeline newest) {

    /**
     * What holds after these looks. A cluster is known once each of its nodes was looked at and those that answered agree;
     * it has become another, such as by pg_upgrade, once all of its nodes answer as the other.
     *
     * @param before null as long as it was not known
     */
    static @Nullable Lineage after(
            @Nullable Lineage before, Collection<NodeObservation> latest, boolean allAreLookedAt) {
        List<Answered> answered = latest.stream()
                .filter(Answered.class::isInstance)
                .map(Answered.class::cast)
                .toList();
        List<SystemIdentifier> systems =
                answered.stream().map(Answered::system).distinct().toList();
        boolean isAnother =
                systems.size() == 1 && allAreLookedAt && (before == null || answered.size() == latest.size());
        if (isAnother && (before == null || !before.system().equals(systems.get(0)))) {
            return answered.stream()
                    .map(node -> new Lineage(node.system(), node.timeline()))
                    .max(Comparator.comparing(Lineage::newest))
                    .orElse(before);
        }
        return before == null
                ? null
                : answered.stream()
                        .filter(node -> node.system().equals(before.system()))
                        .map(node -> new Lineage(node.system(), node.timeline()))
                        .reduce(before, (one, other) -> one.newest().compareTo(other.newest()) < 0 ? other : one);
    }
}
