package io.nightshift.infra.index;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The tables, indexes and foreign keys of a database as they were at one moment. Its lists are in the order of names. */
public final class IndexCatalog {

    private static final Comparator<RelationName> BY_NAME =
            Comparator.comparing(RelationName::schema).thenComparing(RelationName::name);

    private final String database;
    private final Map<Long, Table> tables = new LinkedHashMap<>();
    private final Map<Long, Index> indexes = new LinkedHashMap<>();
    private final Map<Long, List<ForeignKey>> foreignKeys;
    private final List<String> temporalKeys;
    private final Map<Long, List<Table>> partitions = new LinkedHashMap<>();
    private final Map<Long, List<Index>> parts = new LinkedHashMap<>();
    private final Map<Long, List<Index>> byTable = new LinkedHashMap<>();
    private final Set<List<String>> names = new HashSet<>();

    IndexCatalog(String database, List<Table> tables, List<Index> indexes, List<ForeignKey> foreignKeys) {
        this(database, tables, indexes, foreignKeys, List.of());
    }

    /**
     * All that was read.
     *
     * @param statistics schemas and names of extended statistics
     */
    IndexCatalog(
            String database,
            List<Table> tables,
            List<Index> indexes,
            List<ForeignKey> foreignKeys,
            List<List<String>> statistics) {
        names.addAll(statistics);
        this.database = database;
        this.foreignKeys = foreignKeys.stream().collect(Collectors.groupingBy(ForeignKey::table));
        this.temporalKeys = foreignKeys.stream()
                .filter(ForeignKey::temporal)
                .map(ForeignKey::name)
                .toList();
        tables.stream().sorted(Comparator.comparing(Table::name, BY_NAME)).forEach(table -> {
            this.tables.put(table.oid(), table);
            names.add(List.of(table.name().schema(), table.name().name()));
            if (table.parent() != null) {
                partitions
                        .computeIfAbsent(table.parent(), first -> new ArrayList<>())
                        .add(table);
            }
        });
        indexes.stream()
                .filter(index -> this.tables.containsKey(index.table()))
                .sorted(Comparator.comparing(Index::name, BY_NAME))
                .forEach(this::add);
    }

    private void add(Index index) {
        indexes.put(index.oid(), index);
        names.add(List.of(index.name().schema(), index.name().name()));
        byTable.computeIfAbsent(index.table(), first -> new ArrayList<>()).add(index);
        if (index.parent() != null) {
            parts.computeIfAbsent(index.parent(), first -> new ArrayList<>()).add(index);
        }
    }

    public String database() {
        return database;
    }

    public List<Table> tables() {
        return List.copyOf(tables.values());
    }

    public List<Index> indexes() {
        return List.copyOf(indexes.values());
    }

    List<ForeignKey> foreignKeysOf(Table table) {
        return foreignKeys.getOrDefault(table.oid(), List.of());
    }

    /** Its own, and those of the partitioned tables that it is a part of. */
    Stream<ForeignKey> allForeignKeysOf(Table table) {
        Table parent = table.parent() == null ? null : tables.get(table.parent());
        return Stream.concat(foreignKeysOf(table).stream(), parent == null ? Stream.of() : allForeignKeysOf(parent));
    }

    /** Names of foreign keys over times, which an ordinary index does not support. */
    public List<String> temporalKeys() {
        return temporalKeys;
    }

    /** Those whose expressions could not be read. */
    public List<Index> illegible() {
        return indexes.values().stream().filter(index -> !index.legible()).toList();
    }

    public Table table(Index index) {
        return Objects.requireNonNull(tables.get(index.table()));
    }

    public Table table(long oid) {
        return Objects.requireNonNull(tables.get(oid));
    }

    public List<Index> indexesOf(Table table) {
        return byTable.getOrDefault(table.oid(), List.of());
    }

    public List<Table> partitionsOf(Table table) {
        return partitions.getOrDefault(table.oid(), List.of());
    }

    /** What is published by way of a partitioned table is applied to its partitions. */
    boolean isSubscribed(Table table) {
        Table parent = table.parent() == null ? null : tables.get(table.parent());
        return table.subscribed() || (parent != null && isSubscribed(parent));
    }

    /** The table, its partitions and theirs. */
    public Stream<Table> treeOf(Table table) {
        return Stream.concat(Stream.of(table), partitionsOf(table).stream().flatMap(this::treeOf));
    }

    /** What a table and its partitions hold. */
    public Table.Extent extentOf(Table table) {
        return treeOf(table).map(Table::extent).reduce(Table.Extent.NONE, Table.Extent::plus);
    }

    long deletedOf(Table table) {
        return treeOf(table).mapToLong(Table::deleted).sum();
    }

    List<Index> partsOf(Index index) {
        return parts.getOrDefault(index.oid(), List.of());
    }

    /** The index, its parts and theirs: what goes when it goes. */
    public Stream<Index> treeOf(Index index) {
        return Stream.concat(Stream.of(index), partsOf(index).stream().flatMap(this::treeOf));
    }

    public long bytesOf(Index index) {
        return treeOf(index).mapToLong(Index::bytes).sum();
    }

    /** Of all tables and indexes. */
    long bytes() {
        return tables.values().stream()
                        .mapToLong(table -> table.extent().bytes())
                        .sum()
                + indexes.values().stream().mapToLong(Index::bytes).sum();
    }

    /** Whether a table, an index or statistics of the schema bear the name. */
    boolean isTaken(String schema, String relation) {
        return names.contains(List.of(schema, relation));
    }
}
