package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Indexes that a failed CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY left behind: writes pay for them, reads do not use them. */
final class InvalidIndexesCheck extends SqlCheck {

    /** @param bytes by the size that was last recorded: measuring it could wait for a lock */
    private record Index(
            String name, String table, boolean unique, boolean partitioned, boolean leftover, long bytes) {}

    InvalidIndexesCheck() {
        super("invalid-indexes", Where.DATABASES, "an index is invalid");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT format('%I.%I', n.nspname, i.relname) AS name, x.indrelid::regclass::text AS table_name,
                               x.indisunique, i.relkind = 'I' AS partitioned, i.relname ~ '_cc(new|old)[0-9]*$' AS leftover,
                               i.relpages::bigint * current_setting('block_size')::bigint AS bytes
                        FROM pg_index x
                        JOIN pg_class i ON i.oid = x.indexrelid
                        JOIN pg_namespace n ON n.oid = i.relnamespace
                        WHERE NOT (x.indisvalid AND x.indisready AND x.indislive) AND i.relpersistence <> 't'
                          AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p
                                          WHERE p.datname = current_database() AND p.relid = x.indrelid)
                        ORDER BY 1
                        """,
                        row -> new Index(
                                row.getString("name"),
                                row.getString("table_name"),
                                row.getBoolean("indisunique"),
                                row.getBoolean("partitioned"),
                                row.getBoolean("leftover"),
                                row.getLong("bytes")))
                .stream()
                .<HealthResult>map(index -> warning(
                        "index " + index.name() + session.inDatabase(),
                        "is invalid" + (index.unique() ? " and does not keep its values unique" : "") + ", on table "
                                + index.table() + (index.bytes() == 0 ? "" : ", " + Words.bytes(index.bytes())),
                        remedy(index)))
                .toList();
    }

    private static String remedy(Index index) {
        if (index.partitioned()) {
            return "create the missing index on each partition, and attach it: ALTER INDEX " + index.name()
                    + " ATTACH PARTITION …";
        }
        return index.leftover()
                ? "DROP INDEX CONCURRENTLY " + index.name()
                : "REINDEX INDEX CONCURRENTLY " + index.name() + ", or DROP INDEX CONCURRENTLY " + index.name();
    }
}
