package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.Refusals;
import io.nightshift.infra.index.IndexPolicy;
import io.nightshift.infra.index.plan.MissingLimits;
import io.nightshift.infra.workload.WorkloadLimits;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What of the indexes is told; every default and limit. */
record IndexAnalysisSettings(
        @Describe("of smaller tables nothing is said but that an index is broken: they are read as quickly without one")
        DataSize smallestTable,

        @Describe("of smaller indexes nothing is said of what they are used for: dropping them saves little")
        DataSize smallestIndex,

        @Describe(
                "for so long no query on any node may have used an index that is called unused; shorter than 32d it misses a"
                        + " month's end")
        Duration window,

        @Describe(
                "rows that must be written to a table each day for its unused indexes to be told, unless they are large in"
                        + " their database: where nothing is written, an index costs its space alone")
        int writtenRows,

        @Describe(
                "of so many indexes that seem to be mostly empty every page is read to be sure, on a standby if there is one; needs"
                        + " pgstattuple; 0: estimates have to do")
        int measuredIndexes,

        @Describe("indexes that are never advised to be dropped, such as shop.public.orders_*; database.schema.index")
        List<String> keep,

        @Describe(
                "role that plans queries, and may only SELECT; its password is in .pgpass; without one the cluster's own role"
                        + " plans them")
        @Nullable
        String planner,

        @Describe("which queries are looked at") WorkloadLimits workload,

        @Describe("from where on it is told that queries lack an index")
        MissingLimits missing) {

    private static final Duration LONGEST = Duration.ofDays(400);

    IndexAnalysisSettings {
        keep = List.copyOf(keep);
        var refusals = new Refusals();
        for (String name : keep) {
            refusals.when(
                    name.chars().filter(c -> c == '.').count() < 2,
                    "keep has " + name + ", which is not database.schema.index");
        }
        refusals.when(
                window.compareTo(Duration.ofDays(1)) < 0 || window.compareTo(LONGEST) > 0,
                "window is " + Durations.print(window) + ", which is not between 1d and " + Durations.print(LONGEST));
        refusals.when(writtenRows < 0, "written-rows is " + writtenRows + ", which is below 0");
        refusals.when(measuredIndexes < 0, "measured-indexes is " + measuredIndexes + ", which is below 0");
        refusals.throwIfAny();
    }

    static IndexAnalysisSettings defaults() {
        return new IndexAnalysisSettings(
                DataSize.ofMegabytes(1),
                DataSize.ofMegabytes(10),
                Duration.ofDays(35),
                1000,
                5,
                List.of(),
                null,
                WorkloadLimits.defaults(),
                MissingLimits.defaults());
    }

    IndexPolicy policy() {
        return new IndexPolicy(keep, smallestTable, smallestIndex, writtenRows);
    }
}
