package io.nightshift.infra.workload;

import java.util.Optional;

/**
 * What was counted of a statement.
 *
 * @param since when its counters began, as the server prints it; empty before PostgreSQL 17
 * @param milliseconds of execution
 * @param blocks of shared buffers that were hit or read
 */
public record StatementCount(StatementKey key, String since, long calls, double milliseconds, long rows, long blocks) {

    /** What was counted after an earlier look; empty if the counters have begun anew in between. */
    Optional<StatementCount> after(StatementCount earlier) {
        boolean isContinued = since.equals(earlier.since)
                && calls >= earlier.calls
                && milliseconds >= earlier.milliseconds
                && rows >= earlier.rows
                && blocks >= earlier.blocks;
        return isContinued
                ? Optional.of(new StatementCount(
                        key,
                        since,
                        calls - earlier.calls,
                        milliseconds - earlier.milliseconds,
                        rows - earlier.rows,
                        blocks - earlier.blocks))
                : Optional.empty();
    }
}
