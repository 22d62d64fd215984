package io.nightshift.infra.workload;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Snapshots of a cluster's nodes, and what they say together. What cannot be compared is left out. Pure. */
public record StatementHistory(List<StatementSnapshot> snapshots) {

    public StatementHistory {
        snapshots = snapshots.stream()
                .sorted(Comparator.comparing(StatementSnapshot::at).thenComparing(StatementSnapshot::node))
                .toList();
    }

    /** In order; a moment at which no node could be compared with an earlier one is none. */
    public List<StatementNight> nights() {
        Map<String, StatementSnapshot> last = new HashMap<>();
        Map<Instant, List<Difference>> byEnd = new TreeMap<>();
        for (StatementSnapshot snapshot : snapshots) {
            StatementSnapshot before = last.put(snapshot.node(), snapshot);
            if (before != null && snapshot.continues(before)) {
                byEnd.computeIfAbsent(snapshot.at(), first -> new ArrayList<>()).add(new Difference(before, snapshot));
            }
        }
        return byEnd.entrySet().stream()
                .map(night -> new StatementNight(
                        night.getKey(),
                        night.getValue().stream()
                                .flatMap(difference -> difference.counts().stream())
                                .toList(),
                        night.getValue().stream().mapToLong(Difference::evicted).sum()))
                .toList();
    }

    /** Of one node. */
    private record Difference(StatementSnapshot before, StatementSnapshot now) {

        long evicted() {
            return now.evicted() - before.evicted();
        }

        List<StatementCount> counts() {
            Map<StatementKey, StatementCount> earlier = new HashMap<>();
            before.counts().forEach(count -> earlier.put(count.key(), count));
            return now.counts().stream()
                    .flatMap(count -> grown(earlier.get(count.key()), count).stream())
                    .filter(count -> count.calls() > 0)
                    .toList();
        }

        /** One that was not there has begun at 0 since, unless it was too cheap to be kept then. */
        private Optional<StatementCount> grown(@Nullable StatementCount earlier, StatementCount count) {
            if (earlier != null) {
                return count.after(earlier);
            }
            return before.whole() ? Optional.of(count) : Optional.empty();
        }
    }
}
