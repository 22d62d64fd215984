package io.nightshift.infra.orchestrator;

import io.nightshift.infra.health.CounterReadings;

/**
 * What the processes that look after the same clusters have in common.
 *
 * @param heavyWork who does heavy work on a node
 * @param readings what the nodes had counted at earlier looks
 */
public record Shared(HeavyWork heavyWork, CounterReadings readings) {

    /** Nothing, for a process that works alone. */
    public static Shared withNobody() {
        return new Shared(HeavyWork.ofThisProcess(), CounterReadings.ofThisProcess());
    }
}
