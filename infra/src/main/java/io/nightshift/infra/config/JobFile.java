package io.nightshift.infra.config;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys of a file of jobs/. */
record JobFile(
        String type,
        @Nullable String cluster,
        @Nullable Map<String, String> clusters,
        Schedule schedule,
        @Nullable Duration timeout,
        Record settings) {

    JobFile {
        if (cluster == null && clusters == null) {
            throw new IllegalArgumentException(
                    "cluster is missing; accepted: cluster: name, or clusters: {label: value}");
        }
        if (cluster != null && clusters != null) {
            throw new IllegalArgumentException("clusters stands beside cluster; keep one of the two");
        }
        if (clusters != null && clusters.isEmpty()) {
            throw new IllegalArgumentException("clusters is empty; accepted: {label: value}");
        }
        if (timeout != null && timeout.isZero()) {
            throw new IllegalArgumentException("timeout is 0s; leave it out for none");
        }
    }

    static Map<String, Object> defaults() {
        return Map.of("schedule", new Schedule.None());
    }
}
