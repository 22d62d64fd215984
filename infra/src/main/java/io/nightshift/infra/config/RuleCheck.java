package io.nightshift.infra.config;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a rule asks of its rows. The key that says it names it: {@code range}, {@code relationship}, … What is null passes, as
 * in a constraint, unless {@code not-null} or the statement itself says otherwise.
 */
public sealed interface RuleCheck {

    /** As in a file, such as {@code failing-rows}. */
    default String type() {
        return Names.kebab(getClass().getSimpleName());
    }

    /** Whether one value is measured, and no rows are. */
    default boolean isOfValue() {
        return false;
    }

    /** Each row that the statement returns fails. */
    record FailingRows(String sql) implements RuleCheck {}

    /** A row fails where the expression is false, as with a constraint CHECK. */
    record Expression(String sql) implements RuleCheck {}

    /** Rows fail that have the same values in these columns; those with a null in them do not. */
    record Unique(List<String> columns) implements RuleCheck {}

    /** A row fails with a null in any of the columns. */
    record NotNull(List<String> columns) implements RuleCheck {}

    /** A row fails whose value is none of these. */
    record AcceptedValues(String column, List<String> values) implements RuleCheck {

        public AcceptedValues {
            new Refusals().when(values.isEmpty(), "values is empty").throwIfAny();
        }
    }

    /** A row fails whose value is smaller or larger, in the order of the column's type. */
    record Range(
            String column, @Nullable String min, @Nullable String max) implements RuleCheck {

        public Range {
            new Refusals()
                    .when(min == null && max == null, "neither min nor max is given; accepted: one of them, or both")
                    .throwIfAny();
        }
    }

    /**
     * A row fails whose values no row of the other table has: a foreign key that the schema does not declare. As with MATCH
     * SIMPLE, a row with a null in any of the columns refers to nothing and passes.
     *
     * @param references the other table
     * @param keys its columns; those of its primary key where the file names none
     */
    record Relationship(List<String> columns, String references, List<String> keys) implements RuleCheck {

        public Relationship {
            new Refusals()
                    .when(columns.isEmpty(), "columns is empty")
                    .when(
                            !keys.isEmpty() && keys.size() != columns.size(),
                            "keys has " + keys.size() + " columns, and columns has " + columns.size())
                    .throwIfAny();
        }

        static Map<String, Object> defaults() {
            return Map.of("keys", List.of());
        }
    }

    /** How many rows there are. */
    record RowCount() implements RuleCheck {
        @Override
        public boolean isOfValue() {
            return true;
        }
    }

    /** How old the newest row is, by the clock of the server. */
    record Freshness(String column) implements RuleCheck {
        @Override
        public boolean isOfValue() {
            return true;
        }
    }

    /** One number of all rows, such as {@code sum(amount)}. */
    record Aggregate(String sql) implements RuleCheck {
        @Override
        public boolean isOfValue() {
            return true;
        }
    }

    /**
     * Rows, or groups of them, fail that are not the same in another table. What the file does not name is the same there:
     * cluster, database, table.
     *
     * @param columns that must be the same, row by row of the primary key; all where the file names none
     * @param measures aggregates that must be the same instead of the rows, such as {@code sum(amount)}
     * @param by what the measures are grouped by
     */
    record Compare(
            @Nullable String cluster,
            @Nullable String database,
            @Nullable String table,
            List<String> columns,
            List<String> measures,
            List<String> by)
            implements RuleCheck {

        public Compare {
            new Refusals()
                    .when(
                            cluster == null && database == null && table == null,
                            "neither cluster nor database nor table is given; accepted: one of them, or more")
                    .when(
                            !columns.isEmpty() && !measures.isEmpty(),
                            "columns stands beside measures; keep one of the two")
                    .when(!by.isEmpty() && measures.isEmpty(), "by needs its measures")
                    .throwIfAny();
        }

        static Map<String, Object> defaults() {
            return Map.of("columns", List.of(), "measures", List.of(), "by", List.of());
        }
    }
}
