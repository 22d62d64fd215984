package io.nightshift.infra.workload;

import java.time.Instant;
import java.util.List;

/**
 * What was counted between two snapshots, of all nodes together.
 *
 * @param evicted how many statements the servers have forgotten meanwhile: those are missing, or counted too low
 */
public record StatementNight(Instant to, List<StatementCount> counts, long evicted) {

    public StatementNight {
        counts = List.copyOf(counts);
    }
}
