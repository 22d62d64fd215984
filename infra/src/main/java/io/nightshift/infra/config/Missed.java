package io.nightshift.infra.config;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of due times at which nothing ran, because Nightshift or its control database was away.
 *
 * @param maxLateness how late a run may still begin; null: as late as it takes, and 4h for heavy job types, which also
 *     never begin late in the working day
 */
public record Missed(
        @Describe("once: the newest missed due time is run; skip: none; all: each, oldest first")
        Policy policy,

        @Describe("how late it may still begin; heavy job types take 4h, and never begin late in the working day")
        @Nullable
        Duration maxLateness) {

    /** What is run of what was missed. */
    public enum Policy {
        ONCE,
        SKIP,
        ALL
    }

    static Map<String, Object> defaults() {
        return Map.of("policy", Policy.ONCE);
    }
}
