package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.plan.TableFacts.ColumnFacts;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/** Asks for what the planner would know of tables. */
final class TableFactsReader {

    /** Columns whose types have no order, or one that queries hardly ever ask for, are left out, and those without statistics. */
    private static final String FACTS = """
            SELECT c.oid, c.relpages, c.reltuples, c.relallvisible,
                   (pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) - pg_stat_get_tuples_hot_updated(c.oid))
                       / greatest(1, extract(epoch FROM now() - greatest(d.stats_reset, pg_postmaster_start_time() - interval '30 days')) / 86400)
                       AS writes,
                   a.attname, quote_ident(a.attname) AS sql, o.oid AS class, o.opcfamily AS family, a.attcollation AS collation,
                   s.avg_width, s.n_distinct, s.null_frac, coalesce(s.correlation, 0) AS correlation,
                   coalesce(s.most_common_vals::text::text[], '{}') AS common,
                   coalesce(s.most_common_freqs::float8[], '{}') AS frequencies
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_stat_database d ON d.datname = current_database()
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              JOIN pg_type t ON t.oid = a.atttypid
              JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
              JOIN pg_opclass o ON o.opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree') AND o.opcdefault
                   AND o.opcintype = CASE WHEN b.typtype = 'e' THEN 'anyenum'::regtype WHEN b.oid = 'varchar'::regtype THEN 'text'::regtype
                                          ELSE b.oid END
              JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
             WHERE c.oid = ANY (?) AND c.reltuples > 0 AND b.typcategory <> 'A'
               AND b.oid NOT IN ('jsonb'::regtype, 'tsvector'::regtype, 'tsquery'::regtype)
            """;

    private static final String COSTS = """
            SELECT current_setting('seq_page_cost')::float8, current_setting('random_page_cost')::float8,
                   current_setting('cpu_tuple_cost')::float8, current_setting('cpu_index_tuple_cost')::float8,
                   current_setting('cpu_operator_cost')::float8,
                   pg_size_bytes(current_setting('effective_cache_size')) / current_setting('block_size')::float8
            """;

    private TableFactsReader() {}

    static Map<Long, TableFacts> read(Connection session, Collection<Long> oids) throws SQLException {
        Map<Long, Map<String, ColumnFacts>> columns = new HashMap<>();
        Map<Long, TableFacts> tables = new HashMap<>();
        try (PreparedStatement statement = session.prepareStatement(FACTS)) {
            statement.setArray(1, session.createArrayOf("oid", oids.toArray()));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    ColumnFacts column = column(row);
                    columns.computeIfAbsent(row.getLong("oid"), first -> new HashMap<>())
                            .put(column.name(), column);
                    tables.put(row.getLong("oid"), table(row, Map.of()));
                }
            }
        }
        tables.replaceAll((oid, table) -> new TableFacts(
                oid,
                table.pages(),
                table.rows(),
                table.visible(),
                columns.getOrDefault(oid, Map.of()),
                table.writes()));
        return tables;
    }

    private static TableFacts table(ResultSet row, Map<String, ColumnFacts> columns) throws SQLException {
        double pages = Math.max(1, row.getDouble("relpages"));
        return new TableFacts(
                row.getLong("oid"),
                pages,
                row.getDouble("reltuples"),
                Math.min(1, row.getDouble("relallvisible") / pages),
                columns,
                row.getDouble("writes"));
    }

    private static ColumnFacts column(ResultSet row) throws SQLException {
        double distinct = row.getDouble("n_distinct");
        Map<String, Double> common = new HashMap<>();
        Array values = row.getArray("common");
        Array frequencies = row.getArray("frequencies");
        Object[] value = (Object[]) values.getArray();
        Double[] frequency = (Double[]) frequencies.getArray();
        for (int i = 0; i < value.length && i < frequency.length; i++) {
            common.put(String.valueOf(value[i]), frequency[i]);
        }
        return new ColumnFacts(
                row.getString("attname"),
                row.getString("sql"),
                row.getLong("class"),
                row.getLong("family"),
                row.getLong("collation"),
                row.getDouble("avg_width"),
                distinct < 0 ? -distinct * row.getDouble("reltuples") : distinct,
                row.getDouble("null_frac"),
                row.getDouble("correlation"),
                common);
    }

    static PlannerCosts costs(Connection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(COSTS)) {
            row.next();
            return new PlannerCosts(
                    row.getDouble(1),
                    row.getDouble(2),
                    row.getDouble(3),
                    row.getDouble(4),
                    row.getDouble(5),
                    row.getDouble(6));
        }
    }
}
