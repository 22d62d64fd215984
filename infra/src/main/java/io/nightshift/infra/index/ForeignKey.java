package io.nightshift.infra.index;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A foreign key; of a partitioned table its one, not those of the partitions.
 *
 * @param table the OID of the table whose rows refer to others
 * @param referenced the OID of the table that they refer to
 * @param onDelete what a delete there does to them
 * @param temporal whether it compares times, with more than equality: which index supports it is not judged
 */
public record ForeignKey(
        String name, long table, long referenced, List<Column> columns, Action onDelete, boolean temporal) {

    public ForeignKey {
        columns = List.copyOf(columns);
    }

    /**
     * One of its columns.
     *
     * @param sql its name as SQL takes it
     * @param families OIDs of the operator families that know the key's comparison
     * @param collation its OID; 0 for types without
     */
    public record Column(String name, String sql, Set<Long> families, long collation) {

        public Column {
            families = Set.copyOf(families);
        }

        boolean isKey(IndexKey key) {
            return key.isColumn()
                    && key.text().equals(name)
                    && families.contains(key.family())
                    && key.collation() == collation;
        }
    }

    /** {@code confdeltype}. */
    public enum Action {
        NO_ACTION,
        RESTRICT,
        CASCADE,
        SET_NULL,
        SET_DEFAULT;

        static Action of(String type) {
            return switch (type) {
                case "r" -> RESTRICT;
                case "c" -> CASCADE;
                case "n" -> SET_NULL;
                case "d" -> SET_DEFAULT;
                default -> NO_ACTION;
            };
        }

        /** Whether somebody expects deletes: the schema says what becomes of the rows that refer to what is deleted. */
        boolean isExpected() {
            return this == CASCADE || this == SET_NULL || this == SET_DEFAULT;
        }
    }

    /**
     * Whether an index finds the rows that refer to one, if it is not broken: its first keys are the columns, in any order, for
     * every such row.
     */
    boolean isMeantBy(Index index) {
        IndexShape shape = index.shape();
        return index.legible()
                && isQuick(shape)
                && shape.keys().size() >= columns.size()
                && hasEvery(shape.keys().subList(0, columns.size()))
                && hasEveryRow(shape);
    }

    private static boolean isQuick(IndexShape shape) {
        return shape.method().equals(IndexShape.BTREE) || shape.method().equals("hash");
    }

    private boolean hasEvery(List<IndexKey> keys) {
        return columns.stream().allMatch(column -> keys.stream().anyMatch(column::isKey));
    }

    /** Whether an index finds rows that refer to one, be it by some of the columns, and none of the others does as well. */
    boolean needs(Index index, Stream<Index> others) {
        Set<String> found = foundBy(index);
        return !found.isEmpty()
                && others.noneMatch(other -> foundBy(other).containsAll(found)
                        && (other.shape().method().equals(index.shape().method())
                                || (!temporal && isQuick(other.shape()))));
    }

    /** The columns that are its first keys. */
    private Set<String> foundBy(Index index) {
        Set<String> found = new HashSet<>();
        if (index.state().isUsable() && index.legible() && hasEveryRow(index.shape())) {
            index.shape().keys().stream()
                    .takeWhile(key -> columns.stream().anyMatch(column -> finds(key, column)))
                    .map(IndexKey::text)
                    .forEach(found::add);
        }
        return found;
    }

    private boolean finds(IndexKey key, Column column) {
        return temporal ? key.isColumn() && key.text().equals(column.name()) : column.isKey(key);
    }

    /** A row that refers to another has no null in any of the columns. */
    private boolean hasEveryRow(IndexShape shape) {
        String predicate = shape.predicate();
        if (predicate == null) {
            return true;
        }
        List<String> conditions = columns.stream()
                .map(column -> "(" + column.sql() + " IS NOT NULL)")
                .toList();
        return conditions.contains(predicate)
                || (predicate.startsWith("((") && areAll(predicate.substring(1, predicate.length() - 1), conditions));
    }

    /** Whether a text is some of the conditions with AND between them. */
    private static boolean areAll(String text, List<String> conditions) {
        String and = " AND ";
        return conditions.contains(text)
                || conditions.stream()
                        .filter(condition -> text.startsWith(condition + and))
                        .anyMatch(condition -> areAll(text.substring((condition + and).length()), conditions));
    }
}
