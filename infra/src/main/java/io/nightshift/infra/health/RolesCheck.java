package io.nightshift.infra.health;

import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** Whether exactly one node takes writes, and it is certain which one may. */
final class RolesCheck extends ClusterCheck {

    /** The standby that lost least comes last: a newer timeline goes before a later location. */
    static final Comparator<Answered> FURTHEST =
            Comparator.comparing(Answered::timeline).thenComparing(Answered::location);

    RolesCheck() {
        super("roles", "no primary, or nobody knows which");
    }

    @Override
    List<HealthResult> judge(ObservedCluster cluster) {
        List<Answered> primaries =
                cluster.answered().stream().filter(node -> !node.inRecovery()).toList();
        String subject = "cluster " + cluster.name();
        if (cluster.answered().isEmpty()) {
            return List.of(new NotEvaluated(name(), subject, "no node answers"));
        }
        boolean foreign =
                cluster.answered().stream().map(Answered::system).distinct().count() > 1;
        if (primaries.isEmpty() && !foreign) {
            return List.of(critical(subject, noPrimary(cluster), promote(cluster)));
        }
        if (primaries.size() > 1 && !foreign) {
            return List.of(critical(
                    subject,
                    primaries.size() + " nodes claim to be the primary: "
                            + primaries.stream()
                                    .map(node ->
                                            node.node() + " on timeline " + node.timeline() + " at " + node.location())
                                    .collect(Collectors.joining(", ")),
                    "find out which one the applications write to and shut the other down at once: pg_ctl stop -m fast;"
                            + " then bring it back as a standby with pg_rewind. Nothing is backed up meanwhile"));
        }
        return cluster.conflict()
                .map(conflict -> List.<HealthResult>of(
                        critical(subject, String.valueOf(conflict.getMessage()), String.valueOf(conflict.hint()))))
                .orElse(List.of());
    }

    private static String noPrimary(ObservedCluster cluster) {
        String standbys = cluster.standbys().stream()
                .map(node -> node.node() + " has replayed to " + node.location())
                .collect(Collectors.joining(", "));
        int silent = cluster.unreachable().size();
        return "no node takes writes: " + standbys + (silent == 0 ? "" : "; " + silent + " more do not answer");
    }

    private static String promote(ObservedCluster cluster) {
        String best = cluster.standbys().stream()
                .max(FURTHEST)
                .map(node -> node.node().toString())
                .orElse("a standby");
        return (cluster.unreachable().isEmpty()
                        ? "name the primary in nodes of clusters/" + cluster.name() + ".yaml, or, if there is none,"
                        : "start the old primary; if it is lost, and certain not to come back,")
                + " promote " + best + ": SELECT pg_promote()";
    }
}
