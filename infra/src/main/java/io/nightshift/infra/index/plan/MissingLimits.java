package io.nightshift.infra.index.plan;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;

/** From where on a missing index is told; every default and limit. */
public record MissingLimits(
        @Describe("of tables with fewer rows nothing is said: they are read as quickly without an index")
        long rows,

        @Describe("of smaller tables nothing is said") DataSize size,

        @Describe("not more indexes than these are advised in a database at once: each changes what the others bring")
        int most,

        @Describe("a table that has as many indexes as these gets no more")
        int perTable,

        @Describe("all advised indexes of a database together take no more than this of its size, in percent")
        int budget,

        @Describe("at least one query has to get this much cheaper by an index, in percent")
        int better,

        @Describe("all queries together have to get this much cheaper, in percent")
        int worthwhile,

        @Describe(
                "plans queries by a role that may do more than read, where others log in whose functions planning could call"
                        + " with its rights")
        boolean trustFunctions) {

    public MissingLimits {
        new Refusals()
                .when(rows < 0, "rows is " + rows + "; accepted: 0 or more")
                .when(most < 0, "most is " + most + "; accepted: 0 or more, 0 for no advice")
                .when(perTable < 1, "per-table is " + perTable + "; accepted: 1 or more")
                .when(budget < 1 || budget > 100, "budget is " + budget + "; accepted: 1 to 100")
                .when(better < 1 || better > 99, "better is " + better + "; accepted: 1 to 99")
                .when(worthwhile < 0 || worthwhile > 99, "worthwhile is " + worthwhile + "; accepted: 0 to 99")
                .throwIfAny();
    }

    public static MissingLimits defaults() {
        return new MissingLimits(10_000, DataSize.ofMegabytes(8), 3, 8, 10, 50, 2, false);
    }
}
