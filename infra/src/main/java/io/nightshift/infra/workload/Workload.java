package io.nightshift.infra.workload;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the statements of a database have cost over some nights, and which of them matter. The same nights make the same workload.
 *
 * @param queries the most expensive first: of all, what counts
 * @param important those of them that are worth looking at
 * @param milliseconds of all statements, also of those whose text is not known
 * @param nameless how many had no text that we may read
 * @param evicted how many statements the servers have forgotten in these nights
 */
public record Workload(
        List<Query> queries, List<Query> important, double milliseconds, int nights, int nameless, long evicted) {

    public Workload {
        queries = List.copyOf(queries);
        important = List.copyOf(important);
    }

    /**
     * Adds up nights.
     *
     * @param database its OID
     * @param texts of statements by name
     */
    public static Workload of(
            long database,
            List<StatementNight> nights,
            Map<StatementName, StatementText> texts,
            WorkloadLimits limits) {
        Map<StatementName, Sum> sums = new HashMap<>();
        nights.stream()
                .flatMap(night -> night.counts().stream())
                .filter(count -> count.key().name().database() == database)
                .forEach(count -> sums.computeIfAbsent(count.key().name(), first -> new Sum())
                        .add(count));
        double all = sums.values().stream()
                .mapToDouble(sum -> sum.milliseconds)
                .sorted()
                .sum();
        List<Query> queries = sums.entrySet().stream()
                .flatMap(entry -> Optional.ofNullable(texts.get(entry.getKey()))
                        .map(text -> entry.getValue().query(entry.getKey(), text, all))
                        .stream())
                .sorted(Comparator.comparing(Query::milliseconds)
                        .reversed()
                        .thenComparing(query -> query.name().query()))
                .toList();
        return new Workload(
                queries,
                important(queries, all, limits),
                all,
                nights.size(),
                sums.size() - queries.size(),
                nights.stream().mapToLong(StatementNight::evicted).sum());
    }

    private static List<Query> important(List<Query> queries, double all, WorkloadLimits limits) {
        List<Query> important = new ArrayList<>();
        double left = all * limits.share() / 100;
        for (Query query : queries) {
            if (left <= 0 || important.size() == limits.most()) {
                break;
            }
            left -= query.milliseconds();
            if (query.calls() >= limits.calls()
                    && query.mean() * 1e6 >= limits.mean().toNanos()) {
                important.add(query);
            }
        }
        return important;
    }

    /** Of one statement, over users and nights. */
    private static final class Sum {

        private final Map<Long, Double> byUser = new HashMap<>();
        private long calls;
        private double milliseconds;

        void add(StatementCount count) {
            calls += count.calls();
            milliseconds += count.milliseconds();
            byUser.merge(count.key().user(), count.milliseconds(), Double::sum);
        }

        Query query(StatementName name, StatementText text, double all) {
            long user = byUser.entrySet().stream()
                    .max(Map.Entry.<Long, Double>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                    .orElseThrow()
                    .getKey();
            return new Query(
                    name, user, text.text(), text.cut(), calls, milliseconds, all == 0 ? 0 : milliseconds / all);
        }
    }
}
