package io.nightshift.infra.health;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps readings of counters from look to look. Thread-safe. */
public interface CounterReadings {

    /** Those of a cluster. */
    List<CounterReading> of(String cluster);

    /** Keeps these of a cluster, and no others. */
    void keep(String cluster, List<CounterReading> readings);

    /** In memory, for as long as this process lives. */
    static CounterReadings ofThisProcess() {
        Map<String, List<CounterReading>> kept = new ConcurrentHashMap<>();
        return new CounterReadings() {
            @Override
            public List<CounterReading> of(String cluster) {
                return kept.getOrDefault(cluster, List.of());
            }

            @Override
            public void keep(String cluster, List<CounterReading> readings) {
                kept.put(cluster, List.copyOf(readings));
            }
        };
    }
}
