package io.nightshift.infra.config;

import java.time.Duration;
import java.time.LocalTime;
import org.jspecify.annotations.Nullable;

/** What the watchdog expects of a job, besides that each due time begins. */
public record Expectation(
        @Describe("a finding when no run has completed for this long") @Nullable
        Duration successWithin,

        @Describe("a finding when the run due before this time of day has not completed by then") @Nullable
        LocalTime succeedBy,

        @Describe("a finding when a run makes no progress for this long")
        Duration progressWithin) {

    /** For a run of no configured job. */
    public static Expectation defaults() {
        return new Expectation(null, null, Duration.ofMinutes(30));
    }
}
