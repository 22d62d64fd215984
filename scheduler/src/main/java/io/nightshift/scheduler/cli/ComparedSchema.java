package io.nightshift.scheduler.cli;

import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaComparison;
import io.nightshift.infra.schema.SchemaDifference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A database and what it is expected to be.
 *
 * @param live null if it could not be read
 * @param comparison null if nothing is expected of it, or it is not known how it differs
 * @param notEvaluated why that is not known; null if it is
 */
record ComparedSchema(
        String database,
        @Nullable String against,
        @Nullable Schema live,
        @Nullable SchemaComparison comparison,
        @Nullable String notEvaluated) {

    static ComparedSchema notEvaluated(String database, @Nullable String against, String reason) {
        return new ComparedSchema(database, against, null, null, reason);
    }

    List<SchemaDifference> differences() {
        return comparison == null ? List.of() : comparison.differences();
    }

    /** What no statement mends. */
    long byHand() {
        return comparison == null ? 0 : comparison.byHand();
    }

    boolean differs() {
        return differences().stream().anyMatch(difference -> !difference.isInformation());
    }
}
