package io.nightshift.infra.workload;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code pg_stat_statements} (PostgreSQL manual, "pg_stat_statements") in whichever database and schema it is. Statements that
 * are no queries, those of the catalogs, and those of our own role are left out, and their texts, which may hold passwords, with them;
 * a role that owns something in the database is taken for an application's, too.
 */
public final class StatementReader {

    /**
     * What a node has counted.
     *
     * @param hidden how many statements of others our role may not see
     */
    public record Reading(StatementSnapshot snapshot, Map<StatementName, StatementText> texts, long hidden) {

        public Reading {
            texts = Map.copyOf(texts);
        }
    }

    /** As many as the server itself keeps by default. */
    private static final int MOST = 5_000;

    private static final String EXTENSION = """
            SELECT quote_ident(n.nspname) AS schema, a.attname
              FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
              JOIN pg_class c ON c.relnamespace = n.oid AND c.relname IN ('pg_stat_statements', 'pg_stat_statements_info')
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE e.extname = 'pg_stat_statements'
            """;

    /** The role that the cluster began with is not in pg_shdepend. */
    private static final String STATEMENTS = """
            SELECT s.userid, s.dbid, s.queryid, %s AS toplevel, %s AS since, s.calls, s.total_exec_time,
                   s.rows, s.shared_blks_hit + s.shared_blks_read AS blocks, left(s.query, ?) AS query
              FROM %s.pg_stat_statements s
             WHERE s.userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user) OR s.userid = 10
                OR EXISTS (SELECT FROM pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = s.userid
                                                       AND d.deptype = 'o' AND d.dbid = s.dbid)
             ORDER BY s.total_exec_time DESC, s.queryid
            """;

    private static final String INFO = """
            SELECT system_identifier || ' ' || coalesce(stats_reset::text, '') AS series, dealloc AS evicted
              FROM pg_control_system(),\s""";

    private static final String NO_INFO =
            "SELECT system_identifier::text AS series, 0 AS evicted FROM pg_control_system()";

    private StatementReader() {}

    /**
     * Reads it from a session in a database that may have the extension; empty if it has not.
     *
     * @param node as snapshots name it
     * @param at by our clock
     * @throws SQLException also where the server has not loaded the library, or the extension is too old
     */
    public static Optional<Reading> read(Connection session, String node, Instant at) throws SQLException {
        String schema = null;
        Set<String> columns = new HashSet<>();
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(EXTENSION)) {
            while (row.next()) {
                schema = row.getString("schema");
                columns.add(row.getString("attname"));
            }
        }
        return schema == null ? Optional.empty() : Optional.of(read(session, schema, columns, node, at));
    }

    private static Reading read(Connection session, String schema, Set<String> columns, String node, Instant at)
            throws SQLException {
        String sql = STATEMENTS.formatted(
                columns.contains("toplevel") ? "s.toplevel" : "true",
                columns.contains("stats_since") ? "s.stats_since::text" : "''",
                schema);
        List<StatementCount> counts = new ArrayList<>();
        Map<StatementName, StatementText> texts = new HashMap<>();
        long hidden = 0;
        boolean whole = true;
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            statement.setInt(1, StatementText.LONGEST + 1);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    StatementCount count = count(row);
                    if (count == null) {
                        hidden++;
                    } else if (counts.size() == MOST) {
                        whole = false;
                    } else if (isQuery(row.getString("query"), count.key().name(), texts)) {
                        counts.add(count);
                    }
                }
            }
        }
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(
                        columns.contains("dealloc") ? INFO + schema + ".pg_stat_statements_info" : NO_INFO)) {
            row.next();
            return new Reading(
                    new StatementSnapshot(
                            node, row.getString("series"), at, row.getLong("evicted"), whole && hidden == 0, counts),
                    texts,
                    hidden);
        }
    }

    /** The text of a statement may have been lost, or be hidden; what it costs counts all the same. */
    private static boolean isQuery(@Nullable String text, StatementName name, Map<StatementName, StatementText> texts) {
        if (text == null) {
            return true;
        }
        StatementText known = StatementText.of(text);
        if (known.isQuery()) {
            texts.put(name, known);
        }
        return known.isQuery();
    }

    private static @Nullable StatementCount count(ResultSet row) throws SQLException {
        long query = row.getLong("queryid");
        return row.wasNull()
                ? null
                : new StatementCount(
                        new StatementKey(
                                new StatementName(row.getLong("dbid"), query),
                                row.getLong("userid"),
                                row.getBoolean("toplevel")),
                        row.getString("since"),
                        row.getLong("calls"),
                        row.getDouble("total_exec_time"),
                        row.getLong("rows"),
                        row.getLong("blocks"));
    }
}
