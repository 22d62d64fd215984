package io.nightshift.infra.index.plan;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What ANALYZE knows of a table.
 *
 * @param pages as many as {@code pg_class} says
 * @param visible share of pages whose rows everybody sees, 0 to 1
 * @param writes entries that a new index would have got in a day: new rows, and changes that were not heap-only
 */
record TableFacts(
        long oid, double pages, double rows, double visible, Map<String, ColumnFacts> columns, double writes) {

    TableFacts {
        columns = Map.copyOf(columns);
    }

    /**
     * What ANALYZE knows of a column that a B-tree index can have.
     *
     * @param sql its name as SQL takes it
     * @param distinct how many values it has
     * @param common how frequent its most common values are, by value
     */
    record ColumnFacts(
            String name,
            String sql,
            long operatorClass,
            long family,
            long collation,
            double width,
            double distinct,
            double nulls,
            double correlation,
            Map<String, Double> common) {

        ColumnFacts {
            common = Map.copyOf(common);
        }
    }

    @Nullable
    ColumnFacts column(String name) {
        return columns.get(name);
    }

    /** The share of rows that meet the condition, as the planner has it for a constant that it does not know. */
    double selectivity(Clause clause) {
        ColumnFacts column = clause.isColumn() ? columns.get(clause.key()) : null;
        if (column == null) {
            return clause.isEquality() ? 0.005 : 1.0 / 3;
        }
        double one = (1 - column.nulls()) / Math.max(1, column.distinct());
        return switch (clause.kind()) {
            case EQUAL -> clause.isLiteral() ? column.common().getOrDefault(clause.literal(), one) : one;
            case ANY -> Math.min(1, one * clause.values());
            case ABOVE, BELOW -> 1.0 / 3;
            case NULL -> column.nulls();
            case NOT_NULL -> 1 - column.nulls();
            case TRUE ->
                column.common()
                        .getOrDefault("t", 1 - column.nulls() - column.common().getOrDefault("f", 0.0));
            case FALSE ->
                column.common()
                        .getOrDefault("f", 1 - column.nulls() - column.common().getOrDefault("t", 0.0));
        };
    }
}
