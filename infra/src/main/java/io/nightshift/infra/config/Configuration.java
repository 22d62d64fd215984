package io.nightshift.infra.config;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** Everything that is configured, valid as a whole; each kind by name, in alphabetical order. */
public record Configuration(
        ProgramSettings program,
        Map<String, ClusterConfig> clusters,
        Map<String, StorageConfig> storages,
        Map<String, CalendarConfig> calendars,
        Map<String, JobConfig> jobs,
        Rules rules) {

    public Configuration {
        clusters = Collections.unmodifiableMap(new TreeMap<>(clusters));
        storages = Collections.unmodifiableMap(new TreeMap<>(storages));
        calendars = Collections.unmodifiableMap(new TreeMap<>(calendars));
        jobs = Collections.unmodifiableMap(new TreeMap<>(jobs));
    }

    /** The same with other clusters and storages. */
    public Configuration with(Map<String, ClusterConfig> otherClusters, Map<String, StorageConfig> otherStorages) {
        return new Configuration(program, otherClusters, otherStorages, calendars, jobs, rules);
    }
}
