package io.nightshift.infra.health;

import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Whether standbys follow the primary's timeline. One that replays and streams is on its way there; one that is ahead of it
 * shows that the primary is one of the past.
 */
final class TimelineCheck extends ClusterCheck {

    TimelineCheck() {
        super("timeline", "a standby is on another timeline than the primary");
    }

    @Override
    List<HealthResult> judge(ObservedCluster cluster) {
        List<HealthResult> results = new ArrayList<>();
        cluster.answered().stream().filter(node -> !node.inRecovery()).forEach(claimant -> {
            List<Answered> ahead = standbysOf(claimant, cluster)
                    .filter(standby -> standby.timeline().compareTo(claimant.timeline()) > 0)
                    .toList();
            if (!ahead.isEmpty()) {
                results.add(past(claimant, ahead));
            }
        });
        cluster.primary()
                .ifPresent(primary -> standbysOf(primary, cluster)
                        .filter(standby -> standby.timeline().compareTo(primary.timeline()) < 0)
                        .filter(standby -> !standby.isStreaming())
                        .forEach(standby -> results.add(behind(primary, standby))));
        return results;
    }

    private static Stream<Answered> standbysOf(Answered primary, ObservedCluster cluster) {
        return cluster.standbys().stream().filter(standby -> standby.system().equals(primary.system()));
    }

    private HealthResult behind(Answered primary, Answered standby) {
        return critical(
                standby.node().toString(),
                "replays timeline " + standby.timeline() + " at " + standby.location() + ", and the primary "
                        + primary.node() + " writes timeline " + primary.timeline() + " at " + primary.location(),
                "see in the server's log whether it can follow; one that has gone another way is brought"
                        + " back with pg_rewind --source-server='host="
                        + primary.node().host() + " port=" + primary.node().port()
                        + "', or built anew with pg_basebackup");
    }

    /** Only a promotion begins a timeline, so whoever was promoted came after this primary. */
    private HealthResult past(Answered primary, List<Answered> ahead) {
        String standbys = ahead.stream()
                .map(standby ->
                        standby.node() + " replays timeline " + standby.timeline() + " at " + standby.location())
                .collect(Collectors.joining(", "));
        return critical(
                primary.node().toString(),
                "claims to be the primary on timeline " + primary.timeline() + " at " + primary.location() + ", but "
                        + standbys + ": it is an old primary that came back",
                "shut it down at once: pg_ctl stop -m fast; start the primary that was promoted after it, or, if that one"
                        + " is lost, promote "
                        + ahead.stream().max(RolesCheck.FURTHEST).orElseThrow().node()
                        + ": SELECT pg_promote(); then bring this one back as its standby with pg_rewind");
    }
}
