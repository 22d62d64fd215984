package io.nightshift.infra.workload;

/**
 * What {@code pg_stat_statements} counts apart.
 *
 * @param user the OID of who runs it
 * @param toplevel false within a function
 */
public record StatementKey(StatementName name, long user, boolean toplevel) {}
