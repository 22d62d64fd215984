package io.nightshift.jobs.proof;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;

/** Rows of which somebody knows that nobody changes them any more. */
record ClosedRange(
        @Describe("where the table is") String database,

        @Describe("as SQL names it, with its schema: public.votes")
        String table,

        @Describe("which of its rows: \"year < 2026\"; true for all")
        String where) {

    ClosedRange {
        new Refusals()
                .when(database.isBlank(), "database is empty")
                .when(table.isBlank(), "table is empty")
                .when(where.isBlank(), "where is empty; true stands for all rows")
                .throwIfAny();
    }

    /** As people name it. */
    @Override
    public String toString() {
        return database + "." + table + (where.equals("true") ? "" : " where " + where.strip());
    }
}
