package io.nightshift.jobs.verify;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How often everything in the storages is read back; every default and limit. */
record VerifyStorageSettings(
        @Describe("everything is read back once in that time; shorter finds damage sooner and reads more in each run")
        Duration every,

        @Describe(
                "bytes that one run reads at most, and one backup at least; a small value shortens the run, and what is late is reported")
        @Nullable
        DataSize budget,

        @Describe(
                "bytes per second that are read at most, from 32kB on; spares disks and network, and lengthens the run")
        @Nullable
        DataSize maxRate,

        @Describe("whether what is damaged is replaced from another storage; without it, it is only reported")
        boolean repair) {

    private static final Duration SHORTEST = Duration.ofDays(1);
    private static final long LOWEST_RATE = 32L << 10;

    VerifyStorageSettings {
        new Refusals()
                .when(every.compareTo(SHORTEST) < 0, "every is shorter than 1d")
                .when(budget != null && budget.bytes() == 0, "budget is 0B; leave it out for no limit")
                .when(
                        maxRate != null && maxRate.bytes() < LOWEST_RATE,
                        "max-rate is " + maxRate + "; accepted: from 32kB on, or leave it out for full speed")
                .throwIfAny();
    }

    static VerifyStorageSettings defaults() {
        return new VerifyStorageSettings(Duration.ofDays(30), null, null, true);
    }
}
