package io.nightshift.infra.workload;

/**
 * A statement without its constants, whoever runs it.
 *
 * @param database its OID
 * @param query {@code queryid}, the same on every node of a cluster
 */
public record StatementName(long database, long query) {}
