package io.nightshift.jobs.proof;

import io.nightshift.infra.postgres.Identifiers;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What rows together are: their number, and the sum of 64-bit hashes of their texts, in which no order counts. Two servers of
 * one major version and one architecture say the same of the same rows.
 */
record TableDigest(long rows, String sum) {

    /** What a value's text depends on, and that nobody else is disturbed. */
    private static final List<String> SESSION = List.of(
            "SET TimeZone = 'UTC'",
            "SET DateStyle = 'ISO, YMD'",
            "SET IntervalStyle = 'postgres'",
            "SET extra_float_digits = 1",
            "SET bytea_output = 'hex'",
            "SET lc_monetary = 'C'",
            "SET search_path = pg_catalog, public",
            // A policy would hide rows: an error is better.
            "SET row_security = off",
            "SET idle_in_transaction_session_timeout = 0",
            "SET max_parallel_workers_per_gather = 0",
            "SET jit = off",
            "SET default_transaction_read_only = on");

    /** Makes a session good for digests; before its transaction begins. */
    static void prepare(CopySession session) throws SQLException {
        for (String setting : SESSION) {
            session.execute(setting);
        }
    }

    /**
     * Of the rows of a table, without those of its children.
     *
     * @param table as SQL names it
     * @param where which of them
     */
    static TableDigest read(CopySession session, String table, String where) throws SQLException {
        List<@Nullable String> row = session.rows(
                        "SELECT count(*), coalesce(sum(hashtextextended(nightshift_row::text COLLATE \"C\", 0)), 0)"
                                + " FROM ONLY " + table + " AS nightshift_row WHERE (" + where + "\n)")
                .get(0);
        return new TableDigest(Long.parseLong(Objects.requireNonNull(row.get(0))), Objects.requireNonNull(row.get(1)));
    }

    /**
     * A table or materialized view whose rows survive a crash.
     *
     * @param bytes of its main fork
     * @param form its file and its columns: what a snapshot does not keep as it was (manual, "Caveats" of MVCC)
     */
    record Named(String database, String schema, String name, long bytes, String form) {

        private static final String TABLES = """
                SELECT n.nspname, c.relname, coalesce(pg_relation_size(c.oid), 0),
                       c.relfilenode::text || coalesce((
                           SELECT string_agg(' ' || quote_ident(a.attname), '' ORDER BY a.attnum) FROM pg_attribute a
                            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '')
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.relispopulated
                   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                """;

        /** All of the session's database. */
        static List<Named> in(CopySession session, String database) throws SQLException {
            return session.rows(TABLES).stream()
                    .map(row -> new Named(
                            database,
                            Objects.requireNonNull(row.get(0)),
                            Objects.requireNonNull(row.get(1)),
                            Long.parseLong(Objects.requireNonNull(row.get(2))),
                            Objects.requireNonNull(row.get(3))))
                    .toList();
        }

        String quoted() {
            return Identifiers.quoted(schema) + "." + Identifiers.quoted(name);
        }

        /** As people name it. */
        @Override
        public String toString() {
            return database + "." + schema + "." + name;
        }
    }
}
