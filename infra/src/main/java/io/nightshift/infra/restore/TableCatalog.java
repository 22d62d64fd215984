package io.nightshift.infra.restore;

import io.nightshift.infra.config.Nearest;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.CopiedTable.Column;
import io.nightshift.infra.restore.CopiedTable.Qualified;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What people can ask for in one database: its tables, without the system's and without temporary ones. */
final class TableCatalog {

    private static final String RELATIONS = """
            SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence = 'u' AS unlogged, c.relispartition,
                   EXISTS (SELECT FROM pg_depend d
                           WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                   AND NOT EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)) AS is_of_extension
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
              AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
            ORDER BY n.nspname, c.relname
            """;

    private record Relation(
            long oid, Qualified name, char kind, boolean unlogged, boolean isPartition, boolean isOfExtension) {

        boolean isTable() {
            return kind == 'r' || kind == 'p';
        }

        String word() {
            return switch (kind) {
                case 'v' -> "a view";
                case 'm' -> "a materialized view";
                case 'f' -> "a foreign table";
                default -> "a sequence";
            };
        }
    }

    private final Connection connection;
    private final String database;
    private final List<Relation> relations = new ArrayList<>();

    TableCatalog(Connection connection, String database) throws SQLException {
        this.connection = connection;
        this.database = database;
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(RELATIONS)) {
            while (row.next()) {
                relations.add(new Relation(
                        row.getLong("oid"),
                        new Qualified(row.getString("nspname"), row.getString("relname")),
                        row.getString("relkind").charAt(0),
                        row.getBoolean("unlogged"),
                        row.getBoolean("relispartition"),
                        row.getBoolean("is_of_extension")));
            }
        }
    }

    /** Whether something of each name is here. */
    boolean hasAll(List<TableName> names) {
        return names.stream().noneMatch(name -> meant(name).isEmpty());
    }

    /** Those of the database, a partitioned one as one; not those that an extension makes again by itself. */
    List<CopiedTable> all() throws SQLException {
        List<CopiedTable> tables = new ArrayList<>();
        for (Relation relation : relations) {
            if (relation.isTable() && !relation.isPartition() && !relation.isOfExtension()) {
                tables.add(table(relation));
            }
        }
        return tables;
    }

    /** CONFIGURATION if one is not there, is in several schemas, or is no table. */
    List<CopiedTable> find(List<TableName> names) throws SQLException {
        List<Relation> found = new ArrayList<>();
        for (TableName name : names) {
            Relation relation = find(name);
            if (!found.contains(relation)) {
                found.add(relation);
            }
        }
        List<CopiedTable> tables = new ArrayList<>();
        for (Relation relation : found) {
            tables.add(table(relation));
        }
        return tables;
    }

    private Relation find(TableName name) {
        List<Relation> meant = meant(name);
        if (meant.isEmpty()) {
            throw wrong("there is no table " + name + " in database " + database + " of the backup", near(name));
        }
        if (meant.size() > 1) {
            throw wrong(
                    "there are several tables " + name + " in database " + database + ": "
                            + meant.stream()
                                    .map(relation -> relation.name().toString())
                                    .collect(Collectors.joining(", ")),
                    "name the schema");
        }
        Relation relation = meant.get(0);
        if (!relation.isTable()) {
            throw wrong(
                    relation.name() + " in database " + database + " is " + relation.word() + ", no table",
                    "name the tables behind it, or leave --table out for the whole database");
        }
        return relation;
    }

    private List<Relation> meant(TableName name) {
        return relations.stream()
                .filter(relation ->
                        name.means(relation.name().schema(), relation.name().name()))
                .toList();
    }

    /** Tables that are called nearly so, as one writes them. */
    Optional<String> nearest(TableName name) {
        List<Relation> tables = relations.stream().filter(Relation::isTable).toList();
        return Nearest.of(
                        name.name(),
                        tables.stream().map(table -> table.name().name()).toList())
                .map(nearest -> tables.stream()
                        .filter(table -> table.name().name().equals(nearest))
                        .map(table -> table.name().toString())
                        .collect(Collectors.joining(" or ")));
    }

    private String near(TableName name) {
        Optional<String> nearest = nearest(name);
        if (nearest.isPresent()) {
            return "did you mean " + nearest.get()
                    + "? Names with upper case or other characters stand between double quotes";
        }
        List<Relation> tables = relations.stream().filter(Relation::isTable).toList();
        String few =
                tables.stream().limit(10).map(table -> table.name().toString()).collect(Collectors.joining(", "));
        return tables.isEmpty() ? "it has no tables" : "it has " + few + (tables.size() > 10 ? ", …" : "");
    }

    private CopiedTable table(Relation relation) throws SQLException {
        List<Qualified> members = new ArrayList<>(List.of(relation.name()));
        List<Qualified> leaves = new ArrayList<>();
        List<Qualified> foreign = new ArrayList<>();
        if (relation.kind() == 'r') {
            leaves.add(relation.name());
        } else {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("""
                            SELECT n.nspname, c.relname, c.relkind
                            FROM pg_partition_tree(%d::oid::regclass) t
                            JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE t.level > 0
                            ORDER BY t.level, n.nspname, c.relname
                            """.formatted(relation.oid()))) {
                while (row.next()) {
                    var member = new Qualified(row.getString(1), row.getString(2));
                    members.add(member);
                    switch (row.getString(3)) {
                        case "r" -> leaves.add(member);
                        case "f" -> foreign.add(member);
                        default -> {} // its own partitions are in the tree too
                    }
                }
            }
        }
        return new CopiedTable(
                relation.oid(),
                relation.name().schema(),
                relation.name().name(),
                relation.unlogged(),
                columns(relation.oid()),
                leaves,
                members,
                foreign);
    }

    private List<Column> columns(long oid) throws SQLException {
        List<Column> columns = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT attname, format_type(atttypid, atttypmod), attnotnull, attgenerated <> ''
                        FROM pg_attribute WHERE attrelid = %d AND attnum > 0 AND NOT attisdropped ORDER BY attnum
                        """.formatted(oid))) {
            while (row.next()) {
                columns.add(new Column(row.getString(1), row.getString(2), row.getBoolean(3), row.getBoolean(4)));
            }
        }
        return columns;
    }

    private static NightshiftException wrong(String fact, String hint) {
        return new NightshiftException(FailureKind.CONFIGURATION, fact, hint);
    }
}
