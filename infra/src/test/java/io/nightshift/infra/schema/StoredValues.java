package io.nightshift.infra.schema;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * All values in the tables of a database, column by column in the order of their rows.
 *
 * @param columns by table and column, as SQL takes both; attributes of composite types each by itself
 * @param parents of what each table is part
 */
record StoredValues(Map<String, Map<String, String>> columns, Map<String, Set<String>> parents) {

    private static final String NAMES = """
            SELECT format('%I.%I', n.nspname, c.relname), quote_ident(a.attname) || coalesce(' .' || quote_ident(x.attname), ''),
                   CASE WHEN x.attname IS NULL THEN quote_ident(a.attname) ELSE format('(%I).%I', a.attname, x.attname) END
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
              JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_attribute x ON x.attrelid = t.typrelid AND x.attnum > 0 AND NOT x.attisdropped
             WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_|^information_schema$'
             ORDER BY 1, 2
            """;
    private static final String PARENTS = """
            WITH RECURSIVE above AS (
                SELECT inhrelid, inhparent FROM pg_inherits
                UNION SELECT a.inhrelid, i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.inhparent)
            SELECT format('%I.%I', n.nspname, c.relname), format('%I.%I', pn.nspname, p.relname)
              FROM above a JOIN pg_class c ON c.oid = a.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_class p ON p.oid = a.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
            """;
    private static final Pattern LOSS =
            Pattern.compile("-- loses .*\\n(?:ALTER TABLE (.+?) (?:DROP|ALTER) COLUMN (\"(?:[^\"]|\"\")+\"|[^ ;]+)"
                    + "|DROP (?:TABLE|MATERIALIZED VIEW) (.+);|ALTER TYPE .+ DROP ATTRIBUTE (.+);)");

    static StoredValues read(Connection session) throws SQLException {
        Map<String, List<String>> expressions = new LinkedHashMap<>();
        Map<String, List<String>> names = new LinkedHashMap<>();
        Map<String, Set<String>> parents = new TreeMap<>();
        try (Statement statement = session.createStatement()) {
            try (ResultSet row = statement.executeQuery(NAMES)) {
                while (row.next()) {
                    names.computeIfAbsent(row.getString(1), first -> new ArrayList<>())
                            .add(row.getString(2));
                    expressions
                            .computeIfAbsent(row.getString(1), first -> new ArrayList<>())
                            .add("array_agg((" + row.getString(3) + ")::text ORDER BY ctid)::text");
                }
            }
            try (ResultSet row = statement.executeQuery(PARENTS)) {
                while (row.next()) {
                    parents.computeIfAbsent(row.getString(1), first -> new HashSet<>())
                            .add(row.getString(2));
                }
            }
            Map<String, Map<String, String>> columns = new TreeMap<>();
            for (String table : names.keySet()) {
                try (ResultSet row = statement.executeQuery(
                        "SELECT " + String.join(", ", expressions.get(table)) + " FROM ONLY " + table)) {
                    row.next();
                    Map<String, String> values = new TreeMap<>();
                    for (String column : names.get(table)) {
                        String all = row.getString(values.size() + 1);
                        values.put(column, Objects.requireNonNullElse(all, "none"));
                    }
                    columns.put(table, values);
                }
            }
            return new StoredValues(columns, parents);
        }
    }

    static void delete(Connection session) throws SQLException {
        StoredValues all = read(session);
        try (Statement statement = session.createStatement()) {
            for (String table : all.columns().keySet()) {
                statement.execute(
                        "DO $$BEGIN TRUNCATE " + table + " CASCADE; EXCEPTION WHEN wrong_object_type THEN NULL; END$$");
            }
        }
    }

    /** Columns that are gone or have other values, and of which the script does not say that it loses them. */
    List<String> lostIn(StoredValues after, String script) {
        Set<String> told = new HashSet<>();
        for (Matcher loss = LOSS.matcher(script); loss.find(); ) {
            told.add(
                    loss.group(3) != null
                            ? loss.group(3)
                            : loss.group(4) != null ? " ." + loss.group(4) : loss.group(1) + "." + loss.group(2));
        }
        List<String> lost = new ArrayList<>();
        columns.forEach((table, values) -> values.forEach((column, value) -> {
            String now = after.columns.getOrDefault(table, Map.of()).get(column);
            boolean isGone = !Objects.equals(now, value) && !value.equals("none");
            if (isGone && !isTold(table, column, told)) {
                lost.add(table + "." + column + " " + value + ", now " + now);
            }
        }));
        return lost;
    }

    private boolean isTold(String table, String column, Set<String> told) {
        Set<String> tables = new HashSet<>(parents.getOrDefault(table, Set.of()));
        tables.add(table);
        String whole = column.replaceFirst(" \\..*", "");
        return tables.stream().anyMatch(one -> told.contains(one) || told.contains(one + "." + whole))
                || told.contains(column.substring(whole.length()));
    }
}
