package io.nightshift.infra.health;

import java.time.Instant;
import java.util.Map;

/**
 * What the counters of a node showed at a moment.
 *
 * @param series what must be the same for two readings to be compared: system, timeline, role, and since when the server
 *     counts
 * @param at by the server's clock
 * @param counts by counter; one that has been reset, or whose database has been made anew, has another name
 */
public record CounterReading(String node, String series, Instant at, Map<String, Long> counts) {

    public CounterReading {
        counts = Map.copyOf(counts);
    }

    /** Whether this one may be compared with an earlier one. */
    boolean continues(CounterReading earlier) {
        return node.equals(earlier.node())
                && series.equals(earlier.series())
                && earlier.at().isBefore(at);
    }
}
