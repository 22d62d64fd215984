package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.Nearest;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.TableName;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A table as it is now.
 *
 * @param columns by name, in their order
 * @param hasPlaces whether its rows have a ctid
 * @param hasParts whether they lie in partitions, or in tables that inherit from it
 */
record TableFacts(TableName name, Map<String, Column> columns, boolean hasPlaces, boolean hasParts) {

    /**
     * One of its columns.
     *
     * @param type without length and the like
     * @param keyPosition in the primary key; -1 if it is not in it
     * @param hasHash whether its type has a hash function that says the same everywhere
     */
    record Column(String name, String type, int keyPosition, boolean isCollated, boolean hasHash, boolean isNullable) {

        private static final Set<String> INTEGERS = Set.of("smallint", "integer", "bigint");
        private static final Set<String> TEXTS = Set.of("text", "character varying");

        /** Whether the same value has the same hash in a column of the other. */
        boolean isComparable(Column other) {
            return family().equals(other.family());
        }

        private String family() {
            return INTEGERS.contains(type) ? "integer" : TEXTS.contains(type) ? "text" : type;
        }
    }

    private static final String COLUMNS = """
            SELECT a.attname, format_type(a.atttypid, NULL),
                   -- What an index only includes is no key.
                   coalesce(CASE WHEN array_position(x.indkey::int2[], a.attnum) < x.indnkeyatts
                                 THEN array_position(x.indkey::int2[], a.attnum) END, -1), a.attcollation <> 0, c.relkind IN ('r', 'p', 'm'),
                   -- The hash of an enum, as of whatever is an OID, is another one in another database.
                   b.typtype NOT IN ('e', 'c') AND b.typcategory <> 'G'
                       AND NOT (b.oid BETWEEN 2202 AND 2206 OR b.oid IN ('oid'::regtype, 'regrole'::regtype,
                                'regnamespace'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype,
                                'regcollation'::regtype, 'regproc'::regtype))
                       AND b.typname NOT IN ('json', 'xml', 'tsvector', 'tsquery', 'bit', 'varbit', 'money', 'pg_snapshot',
                                             'txid_snapshot'),
                   NOT a.attnotnull, c.relkind = 'p' OR c.relhassubclass
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              CROSS JOIN LATERAL (
                  WITH RECURSIVE base AS (
                      SELECT oid, typtype, typbasetype, typcategory, typname, typelem FROM pg_type WHERE oid = a.atttypid
                      UNION ALL
                      SELECT t.oid, t.typtype, t.typbasetype, t.typcategory, t.typname, t.typelem
                        FROM base JOIN pg_type t ON t.oid = CASE WHEN base.typtype = 'd' THEN base.typbasetype
                                                                 WHEN base.typcategory = 'A' THEN base.typelem END)
                  SELECT * FROM base WHERE typtype <> 'd' AND typcategory <> 'A') b
              LEFT JOIN pg_index x ON x.indrelid = c.oid AND x.indisprimary
             WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
             ORDER BY a.attnum
            """;

    /** Empty if there is no such table. */
    static Optional<TableFacts> read(RuleSession session, TableName name) throws SQLException {
        Map<String, Column> columns = new LinkedHashMap<>();
        boolean hasPlaces = false;
        boolean hasParts = false;
        String schema = Objects.requireNonNull(name.schema());
        for (List<@Nullable String> row :
                session.rows(COLUMNS.formatted(Identifiers.literal(schema), Identifiers.literal(name.name())))) {
            String column = Objects.requireNonNull(row.get(0));
            columns.put(
                    column,
                    new Column(
                            column,
                            Objects.requireNonNull(row.get(1)),
                            Integer.parseInt(Objects.requireNonNull(row.get(2))),
                            "t".equals(row.get(3)),
                            "t".equals(row.get(5)),
                            "t".equals(row.get(6))));
            hasParts = "t".equals(row.get(7));
            hasPlaces = "t".equals(row.get(4));
        }
        return columns.isEmpty() ? Optional.empty() : Optional.of(new TableFacts(name, columns, hasPlaces, hasParts));
    }

    /** As SQL takes it. */
    String sql() {
        return Identifiers.quoted(Objects.requireNonNull(name.schema())) + "." + Identifiers.quoted(name.name());
    }

    List<String> primaryKey() {
        return columns.values().stream()
                .filter(column -> column.keyPosition() >= 0)
                .sorted(Comparator.comparingInt(Column::keyPosition))
                .map(Column::name)
                .toList();
    }

    Column column(String column) {
        return Objects.requireNonNull(columns.get(column));
    }

    /** Says of each of these columns that is not there that it is not. */
    List<String> lacking(List<String> wanted) {
        List<String> lacking = new ArrayList<>();
        for (String column : wanted) {
            if (!columns.containsKey(column)) {
                lacking.add("column " + column + " of table " + name + " does not exist"
                        + Nearest.of(column, columns.keySet())
                                .map(near -> "; did you mean " + near + "?")
                                .orElse("; it has "
                                        + columns.keySet().stream().limit(20).collect(Collectors.joining(", "))));
            }
        }
        return lacking;
    }
}
