package io.nightshift.scheduler.housekeeping;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;

/** How long the control database keeps what. */
record HousekeepingSettings(
        @Describe("how long runs are kept, and what the watchdog saw; older ones count on in the monthly figures")
        Duration keepRuns,

        @Describe("how long the steps of runs are kept, which show draws as a timeline")
        Duration keepSteps,

        @Describe("how long the logs of runs are kept; show --log has none of older ones")
        Duration keepLogs) {

    private static final Duration SHORTEST = Duration.ofDays(1);

    HousekeepingSettings {
        new Refusals()
                .when(keepLogs.compareTo(SHORTEST) < 0, "keep-logs is shorter than 1d")
                .when(keepSteps.compareTo(SHORTEST) < 0, "keep-steps is shorter than 1d")
                .when(keepRuns.compareTo(keepSteps) < 0, "keep-runs is shorter than keep-steps")
                .when(keepRuns.compareTo(keepLogs) < 0, "keep-runs is shorter than keep-logs")
                .throwIfAny();
    }

    static HousekeepingSettings defaults() {
        return new HousekeepingSettings(Duration.ofDays(400), Duration.ofDays(90), Duration.ofDays(30));
    }
}
