package io.nightshift.infra.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys of a file of jobs/. */
record JobFile(
        String type,
        @Nullable String cluster,
        @Nullable Map<String, String> clusters,
        Schedule schedule,
        Missed missed,
        Expectation expect,
        @Nullable Duration timeout,
        @Nullable Duration stepTimeout,
        Retry retry,
        int priority,
        List<String> exclusive,
        Record settings) {

    private static final int HIGHEST_PRIORITY = 10;

    JobFile {
        new Refusals()
                .when(
                        cluster == null && clusters == null,
                        "cluster is missing; accepted: cluster: name, or clusters: {label: value}")
                .when(cluster != null && clusters != null, "clusters stands beside cluster; keep one of the two")
                .when(clusters != null && clusters.isEmpty(), "clusters is empty; accepted: {label: value}")
                .when(timeout != null && timeout.isZero(), "timeout is 0s; leave it out for none")
                .when(stepTimeout != null && stepTimeout.isZero(), "step-timeout is 0s; leave it out for none")
                .when(
                        priority < 1 || priority > HIGHEST_PRIORITY,
                        "priority is " + priority + "; accepted: 1 (last) to " + HIGHEST_PRIORITY + " (first)")
                .throwIfAny();
    }

    static Map<String, Object> defaults() {
        return Map.of(
                "schedule",
                new Schedule.None(),
                "missed",
                new Missed(Missed.Policy.ONCE, null),
                "expect",
                Expectation.defaults(),
                "retry",
                Retry.defaults(),
                "priority",
                5,
                "exclusive",
                List.of());
    }
}
