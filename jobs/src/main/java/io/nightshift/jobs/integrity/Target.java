package io.nightshift.jobs.integrity;

import org.jspecify.annotations.Nullable;

/**
 * One object and what is looked for in it.
 *
 * @param object {@code schema.relation}, with the constraint behind it where there is one
 * @param table that has the rows, {@code schema.table}
 * @param relation its oid
 * @param size of what is read for it, estimated
 * @param trusted false for a constraint that was added NOT VALID: its old rows may break it
 * @param gap why it cannot be looked at; null if it can
 * @param query returns row, evidence and the number of all hits; with two parameters if it can be cut
 */
record Target(
        Check check,
        String database,
        String object,
        String table,
        long relation,
        Size size,
        boolean trusted,
        @Nullable String gap,
        @Nullable String query) {

    /** @param rows as of the last ANALYZE or VACUUM; entries of an index */
    record Size(long bytes, long rows) {

        static final Size NOTHING = new Size(0, 0);
    }

    static final String KEY = "integrity/";

    long bytes() {
        return size.bytes();
    }

    /** Of its finding, and of what is known of its coverage. */
    String key() {
        return KEY + check + "/" + this;
    }

    Target asking(String other) {
        return new Target(check, database, object, table, relation, size, trusted, gap, other);
    }

    /** Only whether its file is there. */
    Target opening() {
        return new Target(Check.OPEN, database, object, table, relation, size, trusted, gap, query);
    }

    Target lacking(String reason) {
        return new Target(check, database, object, table, relation, size, trusted, reason, null);
    }

    /** As people name it. */
    @Override
    public String toString() {
        return database + "." + object;
    }
}
