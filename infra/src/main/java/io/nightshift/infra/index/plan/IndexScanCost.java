package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.IndexKey;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a scan would cost with an index that is not there, by the planner's own formulas (PostgreSQL source, {@code cost_index},
 * {@code btcostestimate}, {@code cost_bitmap_heap_scan}; pages fetched by Mackert and Lohman, 1989).
 */
final class IndexScanCost {

    /** Of an index of several columns the first one's order says less of the heap's. */
    private static final double SEVERAL_COLUMNS = 0.75;
    /** The planner takes both ends of an unknown range for 0.005; an index that needs it to be so short would disappoint. */
    private static final double BOTH_ENDS = 0.1;

    private static final double DESCENT = 50;

    private final PlannerCosts costs;

    IndexScanCost(PlannerCosts costs) {
        this.costs = costs;
    }

    /**
     * Of one scan of many.
     *
     * @param loops how often it is done in the query
     * @param least the rows that the whole scan gives, which no part of its conditions gives fewer of; 0 where it is not known
     * @param isOrdered whether rows must come in the order of the index
     * @return empty where the index does not help
     */
    Optional<Cost> of(
            IndexCandidate candidate,
            TableFacts facts,
            List<Clause> clauses,
            Set<String> needed,
            double loops,
            double least,
            boolean isOrdered) {
        Clause predicate = candidate.predicate();
        if (predicate != null
                && clauses.stream().noneMatch(clause -> clause.sql().equals(predicate.sql()))) {
            return Optional.empty();
        }
        Bounds bounds = bounds(candidate, facts, clauses);
        if (bounds.used() == 0 && !isOrdered && predicate == null) {
            return Optional.empty();
        }
        double entries = candidate.entries(facts);
        double indexRows = Math.max(1, entries * bounds.boundary());
        double heapRows = Math.max(1, Math.max(least, entries * bounds.all()));
        double indexPages = candidate.pages(facts);
        double pages = Math.ceil(indexRows / entries * indexPages);
        double descent = (Math.ceil(Math.log(entries) / Math.log(2))
                        + (Math.ceil(Math.log(Math.max(2, indexPages)) / Math.log(256)) + 1) * DESCENT)
                * costs.operator()
                * bounds.descents();
        double index = fetched(pages * loops, indexPages, indexPages, loops) * costs.randomPage()
                + indexRows * (costs.indexTuple() + bounds.used() * costs.operator());
        double cpu = heapRows * (costs.tuple() + Math.max(0, clauses.size() - bounds.used()) * costs.operator());
        boolean isIndexOnly = carried(candidate).containsAll(needed);
        double unseen = isIndexOnly ? 1 - facts.visible() : 1;
        double worst = fetched(heapRows * loops, facts.pages(), indexPages, loops) * costs.randomPage();
        double best = loops > 1
                ? fetched(Math.ceil(heapRows / facts.rows() * facts.pages()) * loops, facts.pages(), indexPages, loops)
                        * costs.randomPage()
                : costs.randomPage() + (Math.ceil(heapRows / facts.rows() * facts.pages()) - 1) * costs.seqPage();
        double correlation = correlation(candidate, facts);
        double heap = worst + correlation * correlation * (Math.min(best, worst) - worst);
        Cost plain = new Cost(descent, descent + index + heap * unseen + cpu, Set.of(candidate));
        if (isOrdered) {
            return Optional.of(plain);
        }
        double spread = fetched(heapRows * loops, facts.pages(), indexPages, loops);
        double each = spread < 2
                ? costs.randomPage()
                : costs.randomPage()
                        - (costs.randomPage() - costs.seqPage()) * Math.sqrt(Math.min(1, spread / facts.pages()));
        double bitmap = descent + index + 0.1 * costs.operator() * heapRows;
        Cost withBitmap =
                new Cost(bitmap, bitmap + spread * each + cpu + heapRows * costs.operator(), Set.of(candidate));
        return Optional.of(plain.orBetter(withBitmap));
    }

    /**
     * What of the conditions an index uses.
     *
     * @param boundary the share of entries that are read
     * @param all the share of entries whose rows are fetched
     */
    private record Bounds(int used, double boundary, double all, double descents) {}

    private static Bounds bounds(IndexCandidate candidate, TableFacts facts, List<Clause> clauses) {
        int used = 0;
        double boundary = 1;
        double all = 1;
        double descents = 1;
        boolean isBound = true;
        for (IndexKey key : candidate.shape().keys()) {
            List<Clause> own = clauses.stream()
                    .filter(clause -> clause.key().equals(key.text()) && clause.isColumn() == key.isColumn())
                    .filter(clause -> !clause.equals(candidate.predicate()))
                    .toList();
            Optional<Clause> equal = own.stream().filter(Clause::isEquality).findFirst();
            List<Clause> range = own.stream().filter(Clause::isRange).toList();
            double share = 1;
            if (equal.isPresent()) {
                share = facts.selectivity(equal.get());
                descents *= isBound ? equal.get().values() : 1;
                used++;
            } else if (!range.isEmpty()) {
                share = range.stream().map(Clause::kind).distinct().count() > 1 ? BOTH_ENDS : 1.0 / 3;
                used += range.size();
            }
            all *= share;
            boundary *= isBound ? share : 1;
            isBound = isBound && equal.isPresent();
        }
        return new Bounds(used, boundary, all, descents);
    }

    static Set<String> carried(IndexCandidate candidate) {
        Set<String> columns = new HashSet<>(candidate.shape().included());
        candidate.shape().keys().stream()
                .filter(IndexKey::isColumn)
                .map(IndexKey::text)
                .forEach(columns::add);
        return columns;
    }

    private static double correlation(IndexCandidate candidate, TableFacts facts) {
        TableFacts.ColumnFacts first =
                facts.column(candidate.shape().keys().get(0).text());
        if (first == null) {
            return 0;
        }
        return candidate.shape().keys().size() == 1 ? first.correlation() : first.correlation() * SEVERAL_COLUMNS;
    }

    /** Pages read for rows that lie anywhere, in one of several loops that find some of them in the cache. */
    private double fetched(double rows, double pages, double otherPages, double loops) {
        double cache = Math.max(1, costs.cachePages() * pages / (pages + otherPages));
        double all;
        if (pages <= cache) {
            all = Math.min(2 * pages * rows / (2 * pages + rows), pages);
        } else {
            double limit = 2 * pages * cache / (2 * pages - cache);
            all = rows <= limit
                    ? 2 * pages * rows / (2 * pages + rows)
                    : cache + (rows - limit) * (pages - cache) / pages;
        }
        return Math.ceil(all) / loops;
    }
}
