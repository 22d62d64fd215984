package io.nightshift.infra.workload;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What has become of a query: the last nights against those before them.
 *
 * @param recent the last nights
 * @param former those before
 */
public record QueryTrend(Query query, Spent recent, Spent former) {

    /** Nights that are the last ones, where there are enough before them. */
    private static final int LAST = 3;

    private static final double MUCH = 1.5;
    /** A query with less of the time matters to nobody. */
    private static final double NOTICEABLE = 0.01;
    /** Fewer calls say nothing about the mean. */
    private static final long ENOUGH = 10;

    /** What was spent in some nights. */
    public record Spent(int nights, long calls, double milliseconds) {

        public double mean() {
            return calls == 0 ? 0 : milliseconds / calls;
        }

        public double perNight() {
            return nights == 0 ? 0 : milliseconds / nights;
        }

        private Spent plus(StatementCount count) {
            return new Spent(nights, calls + count.calls(), milliseconds + count.milliseconds());
        }
    }

    /** Of the queries of a workload, in its order; without nights before the last ones nothing is new. */
    public static List<QueryTrend> of(Workload workload, List<StatementNight> nights) {
        int last = Math.min(LAST, nights.size() / 2);
        Map<StatementName, Spent> recent = spent(nights.subList(nights.size() - last, nights.size()));
        Map<StatementName, Spent> former = spent(nights.subList(0, nights.size() - last));
        List<QueryTrend> trends = new ArrayList<>();
        for (Query query : workload.queries()) {
            trends.add(new QueryTrend(
                    query,
                    recent.getOrDefault(query.name(), new Spent(last, 0, 0)),
                    former.getOrDefault(query.name(), new Spent(nights.size() - last, 0, 0))));
        }
        return trends;
    }

    private static Map<StatementName, Spent> spent(List<StatementNight> nights) {
        Map<StatementName, Spent> spent = new HashMap<>();
        nights.forEach(night -> night.counts()
                .forEach(count -> spent.merge(
                        count.key().name(),
                        new Spent(nights.size(), count.calls(), count.milliseconds()),
                        (one, more) -> one.plus(count))));
        return spent;
    }

    private boolean isNoticeable() {
        return query.share() >= NOTICEABLE;
    }

    private boolean isComparable() {
        return recent.nights() > 0 && former.nights() > 0;
    }

    public boolean isNew() {
        return isComparable() && isNoticeable() && former.calls() == 0;
    }

    /** Whether each call takes much longer than it did. */
    public boolean isRegressed() {
        return isComparable()
                && isNoticeable()
                && Math.min(former.calls(), recent.calls()) >= ENOUGH
                && recent.mean() >= MUCH * former.mean();
    }

    /** Whether it takes much more of each night than it did. */
    public boolean isGrown() {
        return isComparable() && isNoticeable() && former.calls() > 0 && recent.perNight() >= MUCH * former.perNight();
    }
}
