package io.nightshift.infra.workload;

import java.time.Instant;

/**
 * A plan that a query had in some nights.
 *
 * @param digest the same for plans of the same shape, whatever they cost
 * @param text as people read it
 */
public record KeptPlan(StatementName query, String digest, String text, Instant first, Instant last) {}
