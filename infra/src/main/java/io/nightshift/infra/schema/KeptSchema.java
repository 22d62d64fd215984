package io.nightshift.infra.schema;

import java.time.Instant;

/**
 * A schema of some moment.
 *
 * @param by who saw or accepted it, such as {@code run 17}
 */
public record KeptSchema(Schema schema, Instant at, String by) {}
