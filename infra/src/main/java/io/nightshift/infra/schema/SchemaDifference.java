package io.nightshift.infra.schema;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One object that is not as it is expected to be.
 *
 * @param object its identity
 * @param expected its definition there; null if it is unexpected
 * @param actual its definition here; null if it is missing
 * @param inside how many objects of it differ only because it does
 * @param isPartition whether it is a part of a table that is expected, of which there may be others each month
 * @param statements what makes it as expected; one that loses data, or that cannot be done, begins with a comment that says
 *     so; none for a partition that came
 */
public record SchemaDifference(
        String object,
        ObjectKind kind,
        @Nullable String expected,
        @Nullable String actual,
        int inside,
        boolean isPartition,
        List<String> statements) {

    public SchemaDifference {
        statements = List.copyOf(statements);
    }

    public boolean isMissing() {
        return actual == null;
    }

    public boolean isUnexpected() {
        return expected == null;
    }

    /** Whether it is worth knowing, and nothing is wrong: a partition that came, or only another order. */
    public boolean isInformation() {
        return isOnlyOrder() || (isUnexpected() && isPartition);
    }

    /** Whether it means the same, but for statements that name no columns. */
    public boolean isOnlyOrder() {
        return kind == ObjectKind.COLUMN_ORDER;
    }

    /** {@code missing}, {@code unexpected} or {@code changed}. */
    public String word() {
        return isMissing() ? "missing" : isUnexpected() ? "unexpected" : "changed";
    }
}
