package io.nightshift.infra.workload;

import java.time.Instant;
import java.util.List;

/**
 * What a node had counted of its statements at a moment.
 *
 * @param series what must be the same for two snapshots to be compared: the system, and since when it counts
 * @param at by the clock of Nightshift; the same for all nodes that were asked together
 * @param evicted how many statements the server has forgotten for want of room ({@code dealloc})
 * @param whole whether no statement was left out for want of room of ours
 */
public record StatementSnapshot(
        String node, String series, Instant at, long evicted, boolean whole, List<StatementCount> counts) {

    public StatementSnapshot {
        counts = List.copyOf(counts);
    }

    /** Whether this one may be compared with an earlier one. */
    boolean continues(StatementSnapshot earlier) {
        return node.equals(earlier.node)
                && series.equals(earlier.series)
                && earlier.evicted <= evicted
                && earlier.at.isBefore(at);
    }
}
