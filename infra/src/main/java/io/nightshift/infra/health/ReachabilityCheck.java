package io.nightshift.infra.health;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.ObservedCluster;
import java.util.ArrayList;
import java.util.List;

/** Whether each node answers, and leads straight to a server: poolers and proxies are refused and told here. */
final class ReachabilityCheck extends ClusterCheck {

    ReachabilityCheck() {
        super("reachability", "a node does not answer, or is a pooler or a proxy");
    }

    @Override
    List<HealthResult> judge(ObservedCluster cluster) {
        List<HealthResult> results = new ArrayList<>();
        cluster.unreachable().forEach(node -> {
            NightshiftException reason = node.reason();
            String hint = reason.hint();
            results.add(critical(
                    node.node().toString(),
                    String.valueOf(reason.getMessage()),
                    hint != null
                            ? hint
                            : "start the server, or take the node out of nodes in clusters/" + cluster.name()
                                    + ".yaml"));
        });
        return results;
    }
}
