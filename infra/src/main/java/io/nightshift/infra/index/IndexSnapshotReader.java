package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a node has counted (PostgreSQL manual, "The Cumulative Statistics System"), on primaries and standbys alike. It
 * locks nothing but catalogs.
 */
public final class IndexSnapshotReader {

    /**
     * A crash, or the loss of the file, resets all statistics at once, and of those of databases even the time is gone
     * ({@code pgstat_reset_after_failure}); somebody who resets one kind leaves the others.
     */
    private static final String SERIES = """
            SELECT d.oid, pg_stat_get_db_stat_reset_time(d.oid) AS reset,
                   (SELECT least(b.stats_reset, w.stats_reset, a.stats_reset)
                      FROM pg_stat_bgwriter b, pg_stat_wal w, pg_stat_archiver a) AS lost,
                   to_regprocedure('pg_stat_get_lastscan(oid)') IS NOT NULL AS modern
              FROM pg_database d WHERE d.datname = current_database()
            """;

    private static final String RELATIONS = """
            SELECT c.oid, x.indexrelid IS NOT NULL AS is_index, coalesce(x.indrelid, c.oid) AS table_oid,
                   CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE c.oid END AS root, c.relfilenode,
                   coalesce(hashtextextended(concat_ws('/', x.indisunique, x.indnkeyatts, x.indkey, x.indclass, x.indcollation,
                                                       x.indoption, x.indexprs, '/', x.indpred), 0), 0) AS shape,
                   c.relpages, greatest(c.reltuples, 0)::bigint AS rows, %s AS last_scan,
                   pg_stat_get_numscans(c.oid) AS scans, pg_stat_get_tuples_returned(c.oid) AS read,
                   pg_stat_get_tuples_inserted(c.oid) AS inserted, pg_stat_get_tuples_updated(c.oid) AS updated,
                   pg_stat_get_tuples_hot_updated(c.oid) AS hot_updated, %s AS moved,
                   pg_stat_get_tuples_deleted(c.oid) AS deleted
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index x ON x.indexrelid = c.oid
             WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND c.oid >= 16384
            """ + IndexCatalogReader.OURS;

    /** Rows at a time. */
    private static final int FETCH = 10_000;

    private IndexSnapshotReader() {}

    /**
     * Reads what is counted now.
     *
     * @param session in auto-commit mode
     * @param part what the node is now: system and role, and of a primary its timeline
     */
    public static IndexSnapshot read(Connection session, NodeAddress node, String part, Instant at)
            throws SQLException {
        Map<Long, IndexSnapshot.Relation> relations = new HashMap<>();
        session.setAutoCommit(false);
        try (Statement statement = session.createStatement()) {
            statement.setFetchSize(FETCH);
            // Else the server would keep a copy of what it has counted of each relation until the end of the
            // transaction.
            statement.execute("SET LOCAL stats_fetch_consistency = none");
            boolean isModern;
            IndexSnapshot.Series series;
            try (ResultSet row = statement.executeQuery(SERIES)) {
                row.next();
                isModern = row.getBoolean("modern");
                series =
                        new IndexSnapshot.Series(part, row.getLong("oid"), instant(row, "reset"), instant(row, "lost"));
            }
            String sql = RELATIONS.formatted(
                    isModern ? "pg_stat_get_lastscan(c.oid)" : "NULL::timestamptz",
                    isModern ? "pg_stat_get_tuples_newpage_updated(c.oid)" : "0::bigint");
            try (ResultSet row = statement.executeQuery(sql)) {
                while (row.next()) {
                    relations.put(row.getLong("oid"), relation(row));
                }
            }
            return new IndexSnapshot(node, at, series, relations);
        } finally {
            session.rollback();
            session.setAutoCommit(true);
        }
    }

    private static IndexSnapshot.Relation relation(ResultSet row) throws SQLException {
        return new IndexSnapshot.Relation(
                row.getBoolean("is_index"),
                row.getLong("table_oid"),
                row.getLong("root"),
                row.getLong("relfilenode"),
                row.getLong("shape"),
                row.getLong("relpages"),
                row.getLong("rows"),
                instant(row, "last_scan"),
                new RelationCounts(
                        row.getLong("scans"),
                        row.getLong("read"),
                        row.getLong("inserted"),
                        row.getLong("updated"),
                        row.getLong("hot_updated"),
                        row.getLong("moved"),
                        row.getLong("deleted")));
    }

    static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        Timestamp time = row.getTimestamp(column);
        return time == null ? null : time.toInstant();
    }
}
