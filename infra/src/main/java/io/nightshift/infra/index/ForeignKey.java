package io.nightshift.infra.index;

import java.util.List;
import java.util.Set;

/**
 * A foreign key; of a partitioned table its one, not those of the partitions.
 *
 * @param table the OID of the table whose rows refer to others
 * @param referenced the OID of the table that they refer to
 * @param onDelete what a delete there does to them
 */
public record ForeignKey(String name, long table, long referenced, List<Column> columns, Action onDelete) {

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

    /** Whether an index finds the rows that refer to one: its first keys are the columns, in any order, for every such row. */
    boolean isSupportedBy(Index index) {
        return index.state().isUsable() && isMeantBy(index);
    }

    /** Whether it would, if it were not broken. */
    boolean isMeantBy(Index index) {
        IndexShape shape = index.shape();
        return index.legible()
                && (shape.method().equals(IndexShape.BTREE) || shape.method().equals("hash"))
                && shape.keys().size() >= columns.size()
                && hasEvery(shape.keys().subList(0, columns.size()))
                && hasEveryRow(shape);
    }

    private boolean hasEvery(List<IndexKey> keys) {
        return columns.stream().allMatch(column -> keys.stream().anyMatch(column::isKey));
    }

    /** A row that refers to another has no null there. */
    private boolean hasEveryRow(IndexShape shape) {
        return shape.predicate() == null
                || columns.stream()
                        .anyMatch(column -> ("(" + column.sql() + " IS NOT NULL)").equals(shape.predicate()));
    }
}
