package io.nightshift.scheduler.ledger;

import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.Retry;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a run is carried out.
 *
 * @param timeLimit a run is stopped after it; null for none
 * @param stepLimit the same for each of its steps; null for none
 * @param attempts it gets by itself when it fails for a reason that may pass
 * @param pause before the second attempt; doubled each time
 * @param longestPause between two attempts
 * @param priority 1 to 10: of two waiting runs the higher one begins first
 * @param exclusive groups; of all runs that share one, one works at a time
 */
public record RunTerms(
        @Nullable Duration timeLimit,
        @Nullable Duration stepLimit,
        int attempts,
        Duration pause,
        Duration longestPause,
        int priority,
        List<String> exclusive) {

    /** For what somebody asks for and waits for: one attempt, no limit. */
    public static final RunTerms ON_DEMAND =
            new RunTerms(null, null, 1, Duration.ofMinutes(2), Duration.ofMinutes(30), 5, List.of());

    public RunTerms {
        exclusive = exclusive == null ? List.of() : List.copyOf(exclusive);
    }

    public static RunTerms of(JobConfig.Running running) {
        Retry retry = running.retry();
        return new RunTerms(
                running.timeout(),
                running.stepTimeout(),
                retry.attempts(),
                retry.pause(),
                retry.longestPause(),
                running.priority(),
                running.exclusive());
    }

    /** The same with another limit, if there is one. */
    public RunTerms limited(@Nullable Duration limit) {
        return limit == null
                ? this
                : new RunTerms(limit, stepLimit, attempts, pause, longestPause, priority, exclusive);
    }

    /** The same with one attempt: whoever asked is there to ask again. */
    public RunTerms once() {
        return new RunTerms(timeLimit, stepLimit, 1, pause, longestPause, priority, exclusive);
    }
}
