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
                "newest proves what would be restored today; random proves, night by night, that the others are good too; random-moment that any time between can be reached")
        Choice backup,

        @Describe("repeats a random choice, whose report says it; left out: another one each time") @Nullable
        Long seed,

        @Describe("what a restored cluster may take here; a larger one is not evaluated. Left out: all that is free")
        @Nullable
        DataSize scratchLimit,

        @Describe("how long checking may take, the smallest relations first; what is not reached is not evaluated")
        Duration checkLimit,

        @Describe(
                "how long a standby of the source may be read, and the copy once more, to compare the rows of all tables; left out: not compared")
        @Nullable
        Duration digestLimit,

        @Describe(
                "where there is no standby: rows that nobody changes any more, [{database: shop, table: public.orders, where: \"placed < '2026-01-01'\"}]")
        List<ClosedRange> closedRanges,

        @Describe(
                "how long a copy without fault stays, with its server, for the jobs that want it; left out: thrown away at once")
        @Nullable
        Duration keepCopy,

        @Describe("what you know of the data: [{database: shop, sql: \"SELECT count(*) > 0 FROM orders\"}]")
        List<SqlAssertion> assertions) {

    /** Which backup is restored. */
    enum Choice {
        NEWEST,
        RANDOM,
        RANDOM_MOMENT
    }

    RestoreTestSettings {
        closedRanges = List.copyOf(closedRanges);
        assertions = List.copyOf(assertions);
        new Refusals()
                .when(isShort(checkLimit), "check-limit is shorter than 1s")
                .when(digestLimit != null && isShort(digestLimit), "digest-limit is shorter than 1s")
                .when(keepCopy != null && isShort(keepCopy), "keep-copy is shorter than 1s")
                .when(seed != null && backup == Choice.NEWEST, "seed repeats a random choice, but backup is newest")
                .when(!closedRanges.isEmpty() && digestLimit == null, "closed-ranges needs digest-limit")
                .when(
                        digestLimit != null && backup == Choice.RANDOM_MOMENT,
                        "digest-limit compares with the source as it is now, but backup is random-moment")
                .throwIfAny();
    }

    static RestoreTestSettings defaults() {
        return new RestoreTestSettings(
                Choice.NEWEST, null, null, Duration.ofHours(1), null, List.of(), null, List.of());
    }

    private static boolean isShort(Duration limit) {
        return limit.compareTo(Duration.ofSeconds(1)) < 0;
    }
}
