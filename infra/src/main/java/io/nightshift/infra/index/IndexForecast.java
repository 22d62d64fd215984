package io.nightshift.infra.index;

import java.time.Duration;
import java.util.List;

/**
 * What an index that is not there would bring and cost, as far as that can be estimated.
 *
 * @param queries that would use it, the most expensive first
 * @param build how long it takes to make
 * @param saved of all queries, in a night
 * @param writing what keeping it up to date takes, in a night
 * @param inputs a hash of what all this was worked out from: the same gives the same
 */
public record IndexForecast(
        List<AffectedQuery> queries, Duration build, Duration saved, Duration writing, String inputs) {

    public IndexForecast {
        queries = List.copyOf(queries);
    }

    /**
     * A query that would use it.
     *
     * @param query {@code queryid}
     * @param share of the time of all queries, 0 to 1
     * @param left the share of its cost that would be left, 0 to 1
     */
    public record AffectedQuery(long query, String text, double share, double left) {}
}
