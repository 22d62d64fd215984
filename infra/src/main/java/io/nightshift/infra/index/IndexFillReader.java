package io.nightshift.infra.index;

import io.nightshift.infra.postgres.Identifiers;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads how large B-trees would be if they were made anew. */
public final class IndexFillReader {

    /** {@code pg_stats} shows what the role may read; widths of types that are always the same are known without it. */
    private static final String STATISTICS = """
            SELECT x.indexrelid AS oid, c.reltuples AS rows, x.indisunique AS is_unique, greatest(t.reltuples, 0) AS table_rows,
                   coalesce((SELECT o.option_value::integer FROM pg_options_to_table(c.reloptions) o
                              WHERE o.option_name = 'fillfactor'), 90) AS fill,
                   x.indnatts = x.indnkeyatts
                   AND coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(c.reloptions) o
                                  WHERE o.option_name = 'deduplicate_items'), true)
                   AND NOT EXISTS (
                       SELECT FROM unnest(x.indclass::oid[], x.indcollation::oid[]) AS k (class, collation_oid)
                         JOIN pg_opclass o ON o.oid = k.class LEFT JOIN pg_collation l ON l.oid = k.collation_oid
                        WHERE NOT coalesce(l.collisdeterministic, true)
                           OR NOT EXISTS (SELECT FROM pg_amproc p WHERE p.amprocfamily = o.opcfamily AND p.amprocnum = 4
                                             AND p.amproclefttype = o.opcintype)) AS is_deduplicated,
                   u.i <= x.indnkeyatts AS is_key, p.attlen, p.attalign, s.avg_width, s.n_distinct,
                   s.correlation
              FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_class t ON t.oid = x.indrelid
              CROSS JOIN LATERAL generate_series(1, x.indnatts) AS u (i)
              JOIN pg_attribute p ON p.attrelid = x.indexrelid AND p.attnum = u.i
              LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[u.i - 1] AND a.attnum <> 0
              LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND NOT s.inherited
                   AND s.tablename = CASE WHEN a.attnum IS NULL THEN c.relname ELSE t.relname END
                   AND s.attname = coalesce(a.attname, p.attname)
             WHERE x.indexrelid = ANY (?) AND c.reltuples >= 0
             ORDER BY x.indexrelid, u.i
            """;

    /** Longer ones have a longer header and are aligned. */
    private static final int SHORT = 127;

    private IndexFillReader() {}

    /** What statistics say; of those without, nothing. */
    public static Map<Long, IndexFill> estimate(Connection session, Collection<Long> oids) throws SQLException {
        Map<Long, IndexFill> fills = new HashMap<>();
        oids.forEach(oid -> fills.put(oid, IndexFill.UNKNOWN));
        try (PreparedStatement statement = session.prepareStatement(STATISTICS)) {
            statement.setArray(1, session.createArrayOf("oid", oids.toArray()));
            try (ResultSet row = statement.executeQuery()) {
                List<ExpectedSize.Column> columns = new ArrayList<>();
                double distinct = 1;
                boolean isKnown = true;
                Double correlation = null;
                long last = 0;
                while (row.next()) {
                    long oid = row.getLong("oid");
                    if (oid != last) {
                        last = oid;
                        columns = new ArrayList<>();
                        distinct = 1;
                        isKnown = true;
                        double first = row.getDouble("correlation");
                        correlation = row.wasNull() ? null : first;
                    }
                    boolean isUnique = row.getBoolean("is_unique");
                    int length = row.getInt("attlen");
                    double width = length > 0 ? length : row.getDouble("avg_width");
                    isKnown &= length > 0 || !row.wasNull();
                    double values = row.getDouble("n_distinct");
                    isKnown &= isUnique || !row.getBoolean("is_key") || !row.wasNull();
                    double rows = row.getDouble("rows");
                    if (row.getBoolean("is_key")) {
                        distinct *= values < 0 ? -values * row.getDouble("table_rows") : values;
                    }
                    columns.add(new ExpectedSize.Column(
                            width, length <= 0 && width < SHORT ? 1 : alignment(row.getString("attalign"))));
                    if (isKnown) {
                        fills.put(
                                oid,
                                new IndexFill(
                                        new ExpectedSize(
                                                        rows,
                                                        isUnique ? rows : Math.min(rows, distinct),
                                                        columns,
                                                        row.getBoolean("is_deduplicated"),
                                                        row.getInt("fill"))
                                                .bytes(),
                                        null,
                                        correlation));
                    } else {
                        fills.put(oid, new IndexFill(null, null, correlation));
                    }
                }
            }
        }
        return fills;
    }

    private static int alignment(String code) {
        return switch (code) {
            case "d" -> 8;
            case "i" -> 4;
            case "s" -> 2;
            default -> 1;
        };
    }

    /** The schema of {@code pgstattuple}; empty where it is not installed, or the role may not use it. */
    public static Optional<String> extensionSchema(Connection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("""
                    SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                      JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'pgstatindex'
                     WHERE e.extname = 'pgstattuple' AND p.proargtypes[0] = 'regclass'::regtype
                       AND has_function_privilege(p.oid, 'EXECUTE')
                    """)) {
            return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
        }
    }

    /**
     * How large an index would be, by how full its pages are: reads all of it.
     *
     * @param schema of {@code pgstattuple}
     */
    public static long measured(Connection session, String schema, long oid) throws SQLException {
        String sql = """
                SELECT ceil(1 + s.internal_pages * least(1, s.avg_leaf_density / f.fill)
                            + CASE WHEN s.leaf_pages = 0 THEN 0 ELSE s.leaf_pages * s.avg_leaf_density / f.fill END)::bigint
                       * current_setting('block_size')::bigint
                  FROM %s.pgstatindex(?::oid::regclass) s, pg_class c
                 CROSS JOIN LATERAL (
                       SELECT coalesce((SELECT o.option_value::integer FROM pg_options_to_table(c.reloptions) o
                                         WHERE o.option_name = 'fillfactor'), 90) AS fill) f
                 WHERE c.oid = ?
                """.formatted(Identifiers.quoted(schema));
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            statement.setLong(1, oid);
            statement.setLong(2, oid);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }
}
