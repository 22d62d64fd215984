package io.nightshift.jobs.proof;

import io.nightshift.infra.postgres.Identifiers;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A table, a materialized view, a TOAST table or a btree index, whose content survives a crash.
 *
 * @param bytes of its main fork
 * @param countable whether some index of the table has an entry for every row
 * @param sortedOtherwise whether the index is sorted by a version of a collation that this machine has not
 */
record CheckedRelation(
        String database,
        long oid,
        String schema,
        String name,
        boolean isIndex,
        long bytes,
        boolean countable,
        boolean sortedOtherwise) {

    /** The smallest first. Shared ones are the same in every database: one of them is enough. */
    private static final String RELATIONS = """
            SELECT c.oid::bigint, n.nspname, c.relname, c.relkind = 'i', pg_relation_size(c.oid),
                   c.relkind IN ('r', 'm') AND EXISTS (
                       SELECT FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid
                                              JOIN pg_am ia ON ia.oid = ic.relam
                        WHERE x.indrelid = c.oid AND ia.amname = 'btree' AND x.indpred IS NULL
                          AND x.indisvalid AND x.indisready),
                   EXISTS (
                       SELECT FROM pg_index x, unnest(x.indcollation::oid[]) AS used (collation_oid)
                                   JOIN pg_collation l ON l.oid = used.collation_oid
                        WHERE x.indexrelid = c.oid
                          AND CASE WHEN l.collprovider = 'd'
                                   THEN (SELECT datcollversion <> pg_database_collation_actual_version(oid)
                                           FROM pg_database WHERE datname = current_database())
                                   ELSE l.collversion <> pg_collation_actual_version(l.oid) END)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              JOIN pg_am a ON a.oid = c.relam
             WHERE c.relpersistence = 'p'
               AND (c.relkind IN ('r', 'm', 't') AND a.amname = 'heap'
                    OR c.relkind = 'i' AND a.amname = 'btree'
                       AND EXISTS (SELECT FROM pg_index x WHERE x.indexrelid = c.oid AND x.indisvalid AND x.indisready))
               AND (NOT c.relisshared OR current_database() = '%s')
             ORDER BY 5, 1
            """;

    /** Those of the session's database. */
    static List<CheckedRelation> of(CopySession session, String database, String withShared) throws SQLException {
        String sql = RELATIONS.replace("'%s'", Identifiers.literal(withShared));
        return session.rows(sql).stream().map(row -> relation(database, row)).toList();
    }

    private static CheckedRelation relation(String database, List<@Nullable String> row) {
        return new CheckedRelation(
                database,
                Long.parseLong(text(row, 0)),
                text(row, 1),
                text(row, 2),
                text(row, 3).equals("t"),
                Long.parseLong(text(row, 4)),
                text(row, 5).equals("t"),
                text(row, 6).equals("t"));
    }

    private static String text(List<@Nullable String> row, int column) {
        return Objects.requireNonNull(row.get(column));
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
