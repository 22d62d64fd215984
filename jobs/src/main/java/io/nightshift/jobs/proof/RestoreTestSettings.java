package io.nightshift.jobs.proof;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a restore test restores and looks at; every default and limit. */
record RestoreTestSettings(
        @Describe(
                "newest proves what would be restored today; random proves, night by night, that the others are good too")
        Choice backup,

        @Describe("what a restored cluster may take here; a larger one is not evaluated. Left out: all that is free")
        @Nullable
        DataSize scratchLimit,

        @Describe("how long checking may take, the smallest relations first; what is not reached is not evaluated")
        Duration checkLimit,

        @Describe("what you know of the data: [{database: shop, sql: \"SELECT count(*) > 0 FROM orders\"}]")
        List<SqlAssertion> assertions) {

    /** Which backup is restored. */
    enum Choice {
        NEWEST,
        RANDOM
    }

    RestoreTestSettings {
        assertions = List.copyOf(assertions);
        new Refusals()
                .when(checkLimit.compareTo(Duration.ofSeconds(1)) < 0, "check-limit is shorter than 1s")
                .throwIfAny();
    }

    static RestoreTestSettings defaults() {
        return new RestoreTestSettings(Choice.NEWEST, null, Duration.ofHours(1), List.of());
    }
}
