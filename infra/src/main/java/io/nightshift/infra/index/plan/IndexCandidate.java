package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.IndexKey;
import io.nightshift.infra.index.IndexShape;
import io.nightshift.infra.index.plan.TableFacts.ColumnFacts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An index that could be made.
 *
 * @param table the OID of the table, or of the partitioned table
 * @param predicate what its rows meet; null of one of all rows
 */
record IndexCandidate(
        long table, IndexShape shape, @Nullable Clause predicate) {

    /** Pages have a header and some room left for what comes. */
    private static final double LEAF = 8152 * 0.9;

    static IndexShape shape(List<IndexKey> keys, List<String> included, @Nullable Clause predicate) {
        return new IndexShape(
                IndexShape.BTREE, keys, included, predicate == null ? null : predicate.sql(), false, false, List.of());
    }

    static IndexKey key(ColumnFacts column, int order) {
        return new IndexKey(
                column.name(), true, column.operatorClass(), column.family(), "", column.collation(), order, -1);
    }

    /** What it would take on a table with such rows, equal keys stored once (PostgreSQL 13 and newer). */
    double pages(TableFacts facts) {
        double width = 0;
        double distinct = 1;
        for (IndexKey key : shape.keys()) {
            ColumnFacts column = facts.column(key.text());
            width += column == null ? 8 : column.width();
            distinct *= column == null ? facts.rows() : Math.max(1, column.distinct());
        }
        for (String name : shape.included()) {
            ColumnFacts column = facts.column(name);
            width += column == null ? 8 : column.width();
        }
        double rows = entries(facts);
        double key = 8 * Math.ceil((8 + width) / 8);
        double repeated = Math.min(rows / Math.max(1, Math.min(distinct, rows)), (812 - key) / 6);
        double each = repeated < 2 || !shape.included().isEmpty() ? key + 4 : (key + 4 + 6 * repeated) / repeated;
        return Math.max(2, Math.ceil(rows * each / LEAF));
    }

    double entries(TableFacts facts) {
        return Math.max(1, facts.rows() * (predicate == null ? 1 : facts.selectivity(predicate)));
    }
}
