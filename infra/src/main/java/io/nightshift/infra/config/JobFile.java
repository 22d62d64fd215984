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
        new Refusals()
                .when(
                        cluster == null && clusters == null,
                        "cluster is missing; accepted: cluster: name, or clusters: {label: value}")
                .when(cluster != null && clusters != null, "clusters stands beside cluster; keep one of the two")
                .when(clusters != null && clusters.isEmpty(), "clusters is empty; accepted: {label: value}")
                .when(timeout != null && timeout.isZero(), "timeout is 0s; leave it out for none")
                .throwIfAny();
    }

    static Map<String, Object> defaults() {
        return Map.of("schedule", new Schedule.None());
    }
}
