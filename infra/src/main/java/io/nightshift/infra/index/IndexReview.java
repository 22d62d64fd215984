package io.nightshift.infra.index;

import java.util.List;

/**
 * What is to be said of the indexes of a database.
 *
 * @param advice in the order of kinds and names
 * @param kept what would go if it were for queries alone
 * @param inWork broken indexes that somebody works on now
 * @param unjudged what cannot be said yet, and why
 * @param passedOver how many redundant indexes and unsupported foreign keys belong to tables too small to matter
 */
public record IndexReview(
        List<IndexAdvice> advice,
        List<KeptIndex> kept,
        List<RelationName> inWork,
        List<Unjudged> unjudged,
        int passedOver) {

    /**
     * What needs more nights.
     *
     * @param keys how the keys of the findings begin that this is about
     * @param of an index with its database, or the database
     */
    public record Unjudged(String keys, String of, String why) {}

    public IndexReview {
        advice = List.copyOf(advice);
        kept = List.copyOf(kept);
        inWork = List.copyOf(inWork);
        unjudged = List.copyOf(unjudged);
    }
}
