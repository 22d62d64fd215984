package io.nightshift.infra.index;

import io.nightshift.infra.postgres.Identifiers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The statements that drop, restore and make indexes, without blocking writers where that can be had. */
public final class IndexStatements {

    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_]*");
    /** Bytes of a name ({@code NAMEDATALEN - 1}). */
    private static final int LONGEST = 63;

    private final IndexCatalog catalog;
    private final Map<Long, IndexDefinition> definitions;
    private final Set<String> given = new HashSet<>();

    /** For indexes that are yet to be made. */
    public IndexStatements(IndexCatalog catalog) {
        this(catalog, Map.of());
    }

    IndexStatements(IndexCatalog catalog, Map<Long, IndexDefinition> definitions) {
        this.catalog = catalog;
        this.definitions = definitions;
    }

    /** Of a partitioned one all parts go at once, which cannot be done concurrently. */
    static String drop(Index index) {
        return "DROP INDEX " + (index.partitioned() ? "" : "CONCURRENTLY ")
                + index.name().sql();
    }

    static String rebuild(Index index) {
        return "REINDEX INDEX " + (index.duties().exclusion() ? "" : "CONCURRENTLY ")
                + index.name().sql();
    }

    /** Whether it is known how the index and its parts were made. */
    boolean canRestore(Index index) {
        return catalog.treeOf(index).allMatch(part -> definitions.containsKey(part.oid()));
    }

    /** What makes an index and its parts as they were. */
    List<String> restore(Index index) {
        IndexDefinition definition = definitions.get(index.oid());
        if (definition == null) {
            return List.of();
        }
        List<String> statements = new ArrayList<>(definition.statements(!index.partitioned()));
        for (Index part : catalog.partsOf(index)) {
            statements.addAll(restore(part));
            statements.add(attach(index.name().sql(), part.name().sql()));
        }
        return statements;
    }

    /**
     * What lets ANALYZE look at the expressions of an index when it is gone: else the planner guesses how many rows have which
     * of their values (PostgreSQL manual, "Extended Statistics").
     */
    IndexAdvice.Statements keepStatistics(Index index) {
        List<String> todo = new ArrayList<>();
        List<String> undo = new ArrayList<>();
        catalog.treeOf(index).filter(part -> !part.partitioned()).forEach(part -> {
            Table table = catalog.table(part);
            part.shape().keys().stream().filter(key -> !key.isColumn()).forEach(key -> {
                String name = shown(table.name()) + shown(name(table, List.of(key.text()), "_stat"));
                todo.add("CREATE STATISTICS " + name + " ON (" + key.text() + ") FROM "
                        + table.name().sql());
                if (key.statistics() >= 0) {
                    todo.add("ALTER STATISTICS " + name + " SET STATISTICS " + key.statistics());
                }
                undo.add("DROP STATISTICS " + name);
            });
        });
        if (!todo.isEmpty()) {
            todo.add("ANALYZE " + catalog.table(index).name().sql());
        }
        return new IndexAdvice.Statements(todo, undo);
    }

    /** What makes an index on these columns of a table and of all its partitions. */
    IndexAdvice.Statements create(Table table, List<ForeignKey.Column> columns) {
        return create(
                table,
                columns.stream().map(ForeignKey.Column::name).toList(),
                " USING btree ("
                        + String.join(
                                ", ",
                                columns.stream().map(ForeignKey.Column::sql).toList())
                        + ")");
    }

    /**
     * What makes an index of a table and of all its partitions.
     *
     * @param keys what it is named after
     * @param shape what follows the name of the table
     */
    public IndexAdvice.Statements create(Table table, List<String> keys, String shape) {
        List<String> statements = new ArrayList<>();
        String index = create(table, keys, "INDEX", shape, statements);
        return new IndexAdvice.Statements(
                statements, List.of("DROP INDEX " + (table.partitioned() ? "" : "CONCURRENTLY ") + index));
    }

    /** What makes a BRIN index on the one column of another index. */
    IndexAdvice.Statements createBrin(Index index) {
        Table table = catalog.table(index);
        IndexKey key = index.shape().keys().get(0);
        String name = name(table, List.of(key.text()), "_brin_idx");
        return new IndexAdvice.Statements(
                List.of("CREATE INDEX CONCURRENTLY " + shown(name) + " ON "
                        + table.name().sql() + " USING brin (" + Identifiers.quoted(key.text()) + ")"),
                List.of("DROP INDEX CONCURRENTLY " + shown(table.name()) + shown(name)));
    }

    /** What makes the parts that a partitioned index lacks; empty if it lacks none. */
    List<String> complete(Index index) {
        List<String> statements = new ArrayList<>();
        IndexDefinition definition = definitions.get(index.oid());
        if (definition != null) {
            Table table = catalog.table(index);
            definition
                    .shape(table.name().sql())
                    .ifPresent(shape -> complete(
                            table,
                            index,
                            index.shape().keys().stream().map(IndexKey::text).toList(),
                            index.shape().unique() ? "UNIQUE INDEX" : "INDEX",
                            shape,
                            statements));
        }
        return statements;
    }

    private void complete(
            Table table, Index index, List<String> keys, String kind, String shape, List<String> statements) {
        List<Index> parts = catalog.partsOf(index);
        for (Table partition : catalog.partitionsOf(table)) {
            parts.stream()
                    .filter(part -> part.table() == partition.oid())
                    .findFirst()
                    .ifPresentOrElse(
                            part -> complete(partition, part, keys, kind, shape, statements),
                            () -> statements.add(
                                    attach(index.name().sql(), create(partition, keys, kind, shape, statements))));
        }
    }

    /** Returns the name of the index, as SQL takes it. */
    private String create(Table table, List<String> keys, String kind, String shape, List<String> statements) {
        String name = name(table, keys, "_idx");
        String index = shown(table.name()) + shown(name);
        if (!table.partitioned()) {
            statements.add("CREATE " + kind + " CONCURRENTLY " + shown(name) + " ON "
                    + table.name().sql() + shape);
            return index;
        }
        statements.add("CREATE " + kind + " " + shown(name) + " ON ONLY "
                + table.name().sql() + shape);
        for (Table partition : catalog.partitionsOf(table)) {
            statements.add(attach(index, create(partition, keys, kind, shape, statements)));
        }
        return index;
    }

    private static String attach(String index, String part) {
        return "ALTER INDEX " + index + " ATTACH PARTITION " + part;
    }

    /** As PostgreSQL itself would name it; the same every time, as long as nothing else has the name. */
    private String name(Table table, List<String> keys, String suffix) {
        String schema = table.name().schema();
        String stem = table.name().name() + "_"
                + String.join("_", keys.stream().map(IndexStatements::word).toList());
        for (int number = 0; ; number++) {
            String end = suffix + (number == 0 ? "" : Integer.toString(number));
            String name = cut(stem, LONGEST - end.length()) + end;
            if (!catalog.isTaken(schema, name) && given.add(schema + "." + name)) {
                return name;
            }
        }
    }

    private static String word(String key) {
        String word = key.replaceAll("[^\\p{L}\\p{N}_]+", "_").replaceAll("^_+|_+$", "");
        return word.isEmpty() ? "expr" : word;
    }

    private static String cut(String text, int bytes) {
        String cut = text;
        while (cut.getBytes(StandardCharsets.UTF_8).length > bytes) {
            cut = cut.substring(0, cut.offsetByCodePoints(cut.length(), -1));
        }
        return cut;
    }

    private static String shown(String name) {
        return PLAIN.matcher(name).matches() ? name : Identifiers.quoted(name);
    }

    /** The schema, as the table's own name has it, and the dot. */
    private static String shown(RelationName table) {
        String sql = table.sql();
        String quoted = Identifiers.quoted(table.schema());
        return sql.startsWith(quoted + ".") ? quoted + "." : table.schema() + ".";
    }
}
