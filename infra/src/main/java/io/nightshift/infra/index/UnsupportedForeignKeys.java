package io.nightshift.infra.index;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Foreign keys whose rows no index finds: each delete of a row that they may refer to, and each change of its key, reads their
 * whole table. One index is made for keys of the same columns, and for one whose columns are among those of another.
 */
final class UnsupportedForeignKeys {

    /**
     * What one index would support.
     *
     * @param columns of the index, in order
     * @param keys the widest first
     */
    record Unsupported(Table table, List<ForeignKey.Column> columns, List<ForeignKey> keys) {

        Unsupported {
            columns = List.copyOf(columns);
            keys = List.copyOf(keys);
        }
    }

    private final IndexCatalog catalog;

    UnsupportedForeignKeys(IndexCatalog catalog) {
        this.catalog = catalog;
    }

    List<Unsupported> find() {
        return catalog.tables().stream()
                .filter(table -> !table.ofExtension())
                .flatMap(table -> merged(
                        table,
                        catalog.foreignKeysOf(table).stream()
                                .filter(key -> !key.temporal() && !isSupported(key, table))
                                .toList())
                        .stream())
                .toList();
    }

    /** By an index of the table, or of each of its partitions; one that is broken is to be mended, not doubled. */
    private boolean isSupported(ForeignKey key, Table table) {
        boolean isSupported =
                catalog.indexesOf(table).stream().anyMatch(index -> !index.legible() || key.isMeantBy(index));
        List<Table> partitions = catalog.partitionsOf(table);
        return isSupported
                || (!partitions.isEmpty() && partitions.stream().allMatch(partition -> isSupported(key, partition)));
    }

    private static List<Unsupported> merged(Table table, List<ForeignKey> keys) {
        List<ForeignKey> widest = keys.stream()
                .sorted(Comparator.comparing((ForeignKey key) -> -key.columns().size())
                        .thenComparing(ForeignKey::name))
                .toList();
        List<Unsupported> merged = new ArrayList<>();
        for (ForeignKey key : widest) {
            int place = place(merged, key);
            if (place < 0) {
                merged.add(new Unsupported(table, key.columns(), List.of(key)));
            } else {
                merged.set(place, with(merged.get(place), key));
            }
        }
        return merged;
    }

    /** Where its columns may come first: they are among those that come first there. */
    private static int place(List<Unsupported> merged, ForeignKey key) {
        for (int i = 0; i < merged.size(); i++) {
            List<ForeignKey> there = merged.get(i).keys();
            if (isAmong(key, there.get(there.size() - 1))) {
                return i;
            }
        }
        return -1;
    }

    private static boolean isAmong(ForeignKey key, ForeignKey wider) {
        return key.columns().stream()
                .allMatch(column ->
                        wider.columns().stream().anyMatch(other -> other.name().equals(column.name())));
    }

    private static Unsupported with(Unsupported there, ForeignKey narrower) {
        List<ForeignKey.Column> columns = new ArrayList<>(narrower.columns());
        there.columns().stream()
                .filter(column ->
                        columns.stream().noneMatch(first -> first.name().equals(column.name())))
                .forEach(columns::add);
        List<ForeignKey> keys = new ArrayList<>(there.keys());
        keys.add(narrower);
        return new Unsupported(there.table(), columns, keys);
    }
}
