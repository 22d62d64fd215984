package io.nightshift.infra.sample;

import java.time.Duration;
import java.util.Map;

/**
 * What the workload has done.
 *
 * @param counts committed transactions, by each kind of the plan
 */
public record WorkloadReport(Map<ChanukaTransaction, Long> counts, Duration elapsed) {

    public WorkloadReport {
        counts = Map.copyOf(counts);
    }

    public long transactions() {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    public long writes() {
        return counts.entrySet().stream()
                .filter(entry -> entry.getKey().writes())
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
