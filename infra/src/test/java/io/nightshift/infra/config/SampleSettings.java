package io.nightshift.infra.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Settings of a job type as a job family would write them. */
record SampleSettings(
        @Describe("more makes the backup smaller and the processor busier")
        String compression,

        @Describe("spread is gentle, fast begins at once") Checkpoint checkpoint,
        int workers,
        long maxRate,
        double sample,
        boolean verify,
        Duration patience,
        DataSize buffer,
        List<String> tables,
        Map<String, Integer> weights,
        Window window,
        @Nullable Duration pause,
        @Nullable Secret key,

        @Describe(value = "somebody has looked", oneRun = true)
        boolean sure) {

    enum Checkpoint {
        FAST,
        SPREAD,
        AS_SERVER_LIKES
    }

    record Window(Duration length, int parallelRuns) {
        Window {
            if (parallelRuns < 1) {
                throw new IllegalArgumentException("parallel-runs is " + parallelRuns + "; accepted: 1 or more");
            }
        }
    }

    SampleSettings {
        new Refusals()
                .when(
                        !compression.matches("none|zstd:([1-9]|1[0-9])"),
                        "compression \"" + compression + "\" is not accepted; accepted: none, zstd:1 to zstd:19")
                .when(workers > 8 && patience.isZero(), "more than 8 workers need patience")
                .throwIfAny();
    }

    static SampleSettings defaults() {
        return new SampleSettings(
                "zstd:3",
                Checkpoint.SPREAD,
                2,
                0,
                0.25,
                true,
                Duration.ofMinutes(15),
                DataSize.ofMegabytes(8),
                List.of(),
                Map.of(),
                new Window(Duration.ofHours(4), 1),
                null,
                null,
                false);
    }
}
