package io.nightshift.infra.health;

import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import java.util.List;

/** Whether all nodes are of one cluster: a foreign one has another system identifier. */
final class SystemIdentifierCheck extends ClusterCheck {

    SystemIdentifierCheck() {
        super("system-identifier", "a node belongs to another cluster");
    }

    @Override
    List<HealthResult> judge(ObservedCluster cluster) {
        List<Answered> answered = cluster.answered();
        if (answered.isEmpty()) {
            return List.of();
        }
        // Nobody can tell which of two is right; the node that the configuration names first stands for the cluster.
        SystemIdentifier ours = answered.get(0).system();
        return answered.stream()
                .filter(node -> !node.system().equals(ours))
                .<HealthResult>map(node -> critical(
                        node.node().toString(),
                        "has system identifier " + node.system() + ", and "
                                + answered.get(0).node() + " has " + ours + ": they are not one cluster",
                        "correct nodes in clusters/" + cluster.name()
                                + ".yaml, or rebuild this node as a standby with pg_basebackup"))
                .toList();
    }
}
