package io.nightshift.infra.index;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads the catalogs of a database (PostgreSQL manual, "System Catalogs"). What prints an expression locks its table for a
 * moment: tables that somebody has locked against everybody, or is about to, are not asked about, so that nobody waits. Sizes
 * are the recorded ones, where there are any, for the same reason.
 */
public final class IndexCatalogReader {

    /**
     * Whoever is not allowed to see what others do takes each of their locks for something that matters. Those of a prepared
     * transaction are of no process, and last until somebody ends it.
     */
    private static final String LOCKS = """
            WITH held AS MATERIALIZED (
                SELECT l.relation, l.mode, l.granted, l.pid, a.xact_start
                  FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                 WHERE l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_backend_pid()
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND a.backend_type IS DISTINCT FROM 'autovacuum worker'),
            locked AS MATERIALIZED (SELECT DISTINCT relation FROM held WHERE mode = 'AccessExclusiveLock'),
            busy AS MATERIALIZED (
                SELECT relation,
                       min(coalesce('process ' || pid, 'a prepared transaction') || ' holds ' || mode) FILTER (
                           WHERE mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                                          'AccessExclusiveLock')) AS maintenance,
                       coalesce(min('a prepared transaction has used it: see pg_prepared_xacts') FILTER (WHERE pid IS NULL),
                                min(format('a transaction of process %s has used it for more than 10 minutes', pid)) FILTER (
                                    WHERE xact_start < now() - interval '10 minutes')) AS transaction
                  FROM held WHERE granted GROUP BY relation)
            """;

    static final String OURS = """
             AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
            """;

    private static final String TABLES = LOCKS + """
            SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS sql, c.relkind = 'p' AS partitioned,
                   h.inhparent, CASE WHEN c.relpages > 0 OR locked.relation IS NOT NULL
                                      THEN c.relpages::bigint * current_setting('block_size')::bigint
                                      ELSE pg_relation_size(c.oid) END AS bytes,
                   greatest(c.reltuples, 0)::bigint AS rows, pg_stat_get_tuples_deleted(c.oid) AS deleted,
                   EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                     AND d.deptype = 'e') AS of_extension,
                   EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = c.oid) AS subscribed,
                   busy.maintenance, busy.transaction
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition
              LEFT JOIN busy ON busy.relation = c.oid
              LEFT JOIN locked ON locked.relation = c.oid
             WHERE c.relkind IN ('r', 'p', 'm')
            """ + OURS;

    private static final String INDEXES = LOCKS + """
            , used AS MATERIALIZED (
                SELECT conindid, array_agg(CASE WHEN contype = 'f' THEN 'foreign key ' ELSE 'constraint ' END || conname
                                           ORDER BY contype = 'f', conname) AS constraints
                  FROM pg_constraint WHERE conindid <> 0 AND conparentid = 0 GROUP BY conindid),
            building AS MATERIALIZED (
                SELECT relid FROM pg_stat_progress_create_index WHERE datname = current_database())
            SELECT x.indexrelid AS oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS sql, x.indrelid,
                   h.inhparent, c.relkind = 'I' AS partitioned, m.amname, x.indisunique, x.indnullsnotdistinct, x.indisprimary,
                   x.indisexclusion, x.indisreplident, x.indisclustered, x.indisvalid, x.indisready, x.indislive,
                   EXISTS (SELECT FROM building WHERE relid = x.indrelid OR relid IS NULL) AS building,
                   EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                     AND d.deptype = 'e') AS of_extension,
                   used.constraints, coalesce(c.reloptions, '{}') AS parameters, x.indnkeyatts,
                   CASE WHEN c.relpages > 1 OR locked.relation IS NOT NULL
                        THEN c.relpages::bigint * current_setting('block_size')::bigint
                        ELSE pg_relation_size(c.oid) END AS bytes,
                   x.indpred IS NOT NULL AS partial,
                   CASE WHEN locked.relation IS NULL THEN pg_get_expr(x.indpred, x.indrelid) END AS predicate, k.*
              FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_am m ON m.oid = c.relam
              LEFT JOIN pg_inherits h ON h.inhrelid = x.indexrelid
              LEFT JOIN used ON used.conindid = x.indexrelid
              LEFT JOIN locked ON locked.relation = x.indrelid
              CROSS JOIN LATERAL (
                  SELECT array_agg(u.attnum <> 0 ORDER BY u.i) AS columns,
                         array_agg(CASE WHEN u.attnum <> 0 THEN a.attname
                                        WHEN locked.relation IS NULL THEN pg_get_indexdef(x.indexrelid, u.i::integer, false)
                                   END ORDER BY u.i) AS texts,
                         array_agg(coalesce(u.opclass, 0) ORDER BY u.i) AS classes,
                         array_agg(coalesce(o.opcfamily, 0) ORDER BY u.i) AS families,
                         array_agg(coalesce(array_to_string(p.attoptions, ','), '') ORDER BY u.i) AS class_parameters,
                         array_agg(coalesce(u.coll, 0) ORDER BY u.i) AS collations,
                         array_agg(coalesce(u.ordering, 0) ORDER BY u.i) AS orders,
                         array_agg(coalesce(p.attstattarget, -1) ORDER BY u.i) AS statistics
                    FROM unnest(x.indkey::int2[], x.indclass::oid[], x.indcollation::oid[], x.indoption::int2[])
                         WITH ORDINALITY AS u (attnum, opclass, coll, ordering, i)
                    LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.attnum
                    LEFT JOIN pg_attribute p ON p.attrelid = x.indexrelid AND p.attnum = u.i
                    LEFT JOIN pg_opclass o ON o.oid = u.opclass) k
             WHERE x.indexrelid >= 16384
            """ + OURS;

    /** NOT ENFORCED (PostgreSQL 18) means that nothing looks for rows. Temporal ones (18) are compared with more than equality. */
    private static final String FOREIGN_KEYS = """
            SELECT k.conname, k.conrelid, k.confrelid, k.confdeltype,
                   coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS temporal, f.*
              FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              CROSS JOIN LATERAL (
                  SELECT array_agg(a.attname ORDER BY u.i) AS names, array_agg(quote_ident(a.attname) ORDER BY u.i) AS sqls,
                         array_agg(a.attcollation ORDER BY u.i) AS collations,
                         array_agg((SELECT coalesce(string_agg(DISTINCT o.amopfamily::text, ','), '')
                                      FROM pg_amop o JOIN pg_operator e ON e.oid = u.operator
                                     WHERE o.amopopr IN (e.oid, e.oprcom) AND o.amoppurpose = 's') ORDER BY u.i) AS families
                    FROM unnest(k.conkey, k.conpfeqop) WITH ORDINALITY AS u (attnum, operator, i)
                    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) f
             WHERE k.contype = 'f' AND k.conparentid = 0 AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
            """ + OURS + " ORDER BY n.nspname, c.relname, k.conname";

    private static final String DEFINITIONS = LOCKS + """
            SELECT x.indexrelid AS oid, format('%I.%I', n.nspname, c.relname) AS sql, quote_ident(c.relname) AS name,
                   pg_get_indexdef(x.indexrelid) AS definition,
                   pg_get_expr(x.indpred, x.indrelid) AS predicate, quote_ident(s.spcname) AS tablespace,
                   quote_literal(obj_description(c.oid, 'pg_class')) AS comment,
                   coalesce((SELECT array_agg(format('ALTER COLUMN %s SET STATISTICS %s', p.attnum, p.attstattarget)
                                              ORDER BY p.attnum)
                               FROM pg_attribute p WHERE p.attrelid = c.oid AND p.attstattarget >= 0), '{}') AS statistics
              FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
             WHERE x.indexrelid = ANY (?) AND x.indrelid NOT IN (SELECT relation FROM locked WHERE relation IS NOT NULL)
            """;

    private IndexCatalogReader() {}

    /**
     * Reads all that is judged.
     *
     * @param session in auto-commit mode, whose {@code search_path} is {@code pg_catalog}: other names are printed whole
     */
    public static IndexCatalog read(Connection session) throws SQLException {
        session.setAutoCommit(false);
        try (Statement statement = session.createStatement()) {
            // One moment for all of them. Whoever builds an index waits for its end: a second or two for ten thousand
            // of
            // them.
            statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
            List<Table> tables = read(statement, TABLES, IndexCatalogReader::table);
            List<Index> indexes = read(statement, INDEXES, IndexCatalogReader::index);
            List<ForeignKey> foreignKeys = read(statement, FOREIGN_KEYS, IndexCatalogReader::foreignKey);
            List<List<String>> statistics = read(
                    statement,
                    "SELECT n.nspname, s.stxname FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace",
                    row -> List.of(row.getString("nspname"), row.getString("stxname")));
            return new IndexCatalog(session.getCatalog(), tables, indexes, foreignKeys, statistics);
        } finally {
            session.rollback();
            session.setAutoCommit(true);
        }
    }

    /** How these indexes were made, and can be made again; without those whose tables are locked or gone. */
    public static Map<Long, IndexDefinition> definitions(Connection session, Set<Long> oids) throws SQLException {
        Map<Long, IndexDefinition> definitions = new HashMap<>();
        try (PreparedStatement statement = session.prepareStatement(DEFINITIONS)) {
            statement.setArray(1, session.createArrayOf("oid", oids.toArray()));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    String definition = row.getString("definition");
                    if (definition != null) {
                        definitions.put(
                                row.getLong("oid"),
                                new IndexDefinition(
                                        row.getString("sql"),
                                        row.getString("name"),
                                        definition,
                                        row.getString("predicate"),
                                        row.getString("tablespace"),
                                        row.getString("comment"),
                                        texts(row, "statistics")));
                    }
                }
            }
        }
        return definitions;
    }

    /** How often this node has scanned each index since its statistics began; those never scanned are left out. */
    public static Map<Long, Long> scans(Connection session) throws SQLException {
        Map<Long, Long> scans = new HashMap<>();
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("""
                    SELECT oid, pg_stat_get_numscans(oid) AS scans FROM pg_class
                     WHERE relkind = 'i' AND oid >= 16384 AND pg_stat_get_numscans(oid) > 0
                    """)) {
            while (row.next()) {
                scans.put(row.getLong("oid"), row.getLong("scans"));
            }
        }
        return scans;
    }

    /** Makes something of a row. */
    @FunctionalInterface
    private interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    private static <T> List<T> read(Statement statement, String sql, Row<T> reader) throws SQLException {
        List<T> read = new ArrayList<>();
        try (ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                read.add(reader.of(row));
            }
        }
        return read;
    }

    private static Table table(ResultSet row) throws SQLException {
        return new Table(
                row.getLong("oid"),
                name(row),
                row.getBoolean("partitioned"),
                parent(row),
                new Table.Extent(Math.max(0, row.getLong("bytes")), row.getLong("rows")),
                row.getLong("deleted"),
                row.getBoolean("of_extension"),
                row.getBoolean("subscribed"),
                row.getString("maintenance"),
                row.getString("transaction"));
    }

    private static Index index(ResultSet row) throws SQLException {
        List<@Nullable String> texts = nullable(row, "texts");
        String predicate = row.getString("predicate");
        return new Index(
                row.getLong("oid"),
                name(row),
                row.getLong("indrelid"),
                parent(row),
                row.getBoolean("partitioned"),
                shape(row, texts, predicate),
                new Index.State(
                        row.getBoolean("indisvalid"),
                        row.getBoolean("indisready"),
                        row.getBoolean("indislive"),
                        row.getBoolean("building")),
                new Index.Duties(
                        row.getBoolean("indisprimary"),
                        row.getBoolean("indisexclusion"),
                        row.getBoolean("indisreplident"),
                        row.getBoolean("indisclustered"),
                        row.getBoolean("of_extension"),
                        row.getArray("constraints") == null ? List.of() : texts(row, "constraints")),
                !texts.contains(null) && (predicate != null || !row.getBoolean("partial")),
                Math.max(0, row.getLong("bytes")));
    }

    private static IndexShape shape(ResultSet row, List<@Nullable String> texts, @Nullable String predicate)
            throws SQLException {
        List<@Nullable String> columns = nullable(row, "columns");
        List<@Nullable String> classes = nullable(row, "classes");
        List<@Nullable String> families = nullable(row, "families");
        List<@Nullable String> parameters = nullable(row, "class_parameters");
        List<@Nullable String> collations = nullable(row, "collations");
        List<@Nullable String> orders = nullable(row, "orders");
        List<@Nullable String> statistics = nullable(row, "statistics");
        int keyed = row.getInt("indnkeyatts");
        List<IndexKey> keys = new ArrayList<>();
        for (int i = 0; i < keyed; i++) {
            keys.add(new IndexKey(
                    String.valueOf(texts.get(i)),
                    Boolean.parseBoolean(columns.get(i)),
                    number(classes.get(i)),
                    number(families.get(i)),
                    String.valueOf(parameters.get(i)),
                    number(collations.get(i)),
                    (int) number(orders.get(i)),
                    (int) number(statistics.get(i))));
        }
        return new IndexShape(
                row.getString("amname"),
                keys,
                texts.subList(keyed, texts.size()).stream().map(String::valueOf).toList(),
                predicate,
                row.getBoolean("indisunique"),
                row.getBoolean("indnullsnotdistinct"),
                texts(row, "parameters").stream().sorted().toList());
    }

    private static ForeignKey foreignKey(ResultSet row) throws SQLException {
        List<String> names = texts(row, "names");
        List<String> sqls = texts(row, "sqls");
        List<String> families = texts(row, "families");
        List<String> collations = texts(row, "collations");
        List<ForeignKey.Column> columns = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            Set<Long> known = families.get(i).isEmpty()
                    ? new HashSet<>()
                    : Arrays.stream(families.get(i).split(","))
                            .map(Long::valueOf)
                            .collect(Collectors.toSet());
            columns.add(new ForeignKey.Column(names.get(i), sqls.get(i), known, number(collations.get(i))));
        }
        return new ForeignKey(
                row.getString("conname"),
                row.getLong("conrelid"),
                row.getLong("confrelid"),
                columns,
                ForeignKey.Action.of(row.getString("confdeltype")),
                row.getBoolean("temporal"));
    }

    private static RelationName name(ResultSet row) throws SQLException {
        return new RelationName(row.getString("nspname"), row.getString("relname"), row.getString("sql"));
    }

    private static @Nullable Long parent(ResultSet row) throws SQLException {
        long parent = row.getLong("inhparent");
        return row.wasNull() ? null : parent;
    }

    private static long number(@Nullable String text) {
        return Long.parseLong(String.valueOf(text));
    }

    private static List<String> texts(ResultSet row, String column) throws SQLException {
        return nullable(row, column).stream().map(String::valueOf).toList();
    }

    /** An array's elements as texts. */
    private static List<@Nullable String> nullable(ResultSet row, String column) throws SQLException {
        Array array = row.getArray(column);
        List<@Nullable String> texts = new ArrayList<>();
        for (Object element : (Object[]) array.getArray()) {
            texts.add(element == null ? null : element.toString());
        }
        return texts;
    }
}
