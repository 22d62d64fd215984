package io.nightshift.infra.workload;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;

/** Which statements matter; every default and limit. */
public record WorkloadLimits(
        @Describe("how long snapshots of pg_stat_statements are kept, and how far back queries are judged")
        Duration window,

        @Describe(
                "queries are looked at, the most expensive first, until they make this much of a database's time, in percent")
        int share,

        @Describe("queries called less often in the window are passed over")
        long calls,

        @Describe("queries that take less time in the mean are passed over")
        Duration mean,

        @Describe("not more queries than these are looked at in a database; each is planned once a night")
        int most) {

    public WorkloadLimits {
        new Refusals()
                .when(window.compareTo(Duration.ofDays(1)) < 0, "window is shorter than a day; accepted: 1d or more")
                .when(share < 1 || share > 100, "share is " + share + "; accepted: 1 to 100")
                .when(calls < 1, "calls is " + calls + "; accepted: 1 or more")
                .when(mean.isNegative(), "mean is negative")
                .when(most < 1 || most > 5000, "most is " + most + "; accepted: 1 to 5000")
                .throwIfAny();
    }

    public static WorkloadLimits defaults() {
        return new WorkloadLimits(Duration.ofDays(35), 90, 50, Duration.ofMillis(1), 200);
    }
}
