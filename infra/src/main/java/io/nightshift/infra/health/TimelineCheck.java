package io.nightshift.infra.health;

import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import java.util.ArrayList;
import java.util.List;

/** Whether standbys follow the primary's timeline. One that replays and streams is on its way there. */
final class TimelineCheck extends ClusterCheck {

    TimelineCheck() {
        super("timeline", "a standby is on another timeline than the primary");
    }

    @Override
    List<HealthResult> judge(ObservedCluster cluster) {
        List<HealthResult> results = new ArrayList<>();
        cluster.primary().ifPresent(primary -> {
            for (Answered standby : cluster.standbys()) {
                if (standby.system().equals(primary.system())
                        && !standby.timeline().equals(primary.timeline())
                        && !standby.isStreaming()) {
                    results.add(critical(
                            standby.node().toString(),
                            "replays timeline " + standby.timeline() + " at " + standby.location()
                                    + ", and the primary "
                                    + primary.node() + " writes timeline " + primary.timeline() + " at "
                                    + primary.location(),
                            "see in the server's log whether it can follow; one that has gone another way is brought"
                                    + " back with pg_rewind --source-server='host="
                                    + primary.node().host() + " port="
                                    + primary.node().port() + "', or built anew with pg_basebackup"));
                }
            }
        });
        return results;
    }
}
