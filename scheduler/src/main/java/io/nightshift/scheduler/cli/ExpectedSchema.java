package io.nightshift.scheduler.cli;

import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaComparison;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * What a database is compared with.
 *
 * @param comparison of a live schema with it
 */
record ExpectedSchema(String name, Schema schema, Function<Schema, SchemaComparison> comparison) {

    static ExpectedSchema withRights(String name, Schema schema) {
        return new ExpectedSchema(name, schema, live -> SchemaComparison.of(schema, live));
    }

    static ExpectedSchema withoutRights(String name, Schema schema, UnaryOperator<Schema> comparable) {
        return new ExpectedSchema(name, schema, read -> {
            Schema live = comparable.apply(read);
            return SchemaComparison.of(schema.withRightsOf(live), live.withRightsOnlyIn(schema));
        });
    }
}
