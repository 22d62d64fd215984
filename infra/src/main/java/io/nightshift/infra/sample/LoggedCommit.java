package io.nightshift.infra.sample;

import io.nightshift.infra.postgres.Lsn;

/**
 * A write that the server confirmed. Its commit record lies between the two WAL locations: a recovery that ends at
 * {@code before} or earlier must not show it, one that ends at {@code after} or later must.
 *
 * @param id of its row in {@code chanuka.commit_log}
 */
public record LoggedCommit(long id, ChanukaTransaction kind, Lsn before, Lsn after) {}
