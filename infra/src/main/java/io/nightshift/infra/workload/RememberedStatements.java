package io.nightshift.infra.workload;

import io.nightshift.infra.run.RunContext;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** In memory. */
final class RememberedStatements implements StatementBook {

    private record PlanName(StatementName query, String digest) {}

    /** Of a cluster. */
    private static final class Kept {
        private final List<StatementSnapshot> snapshots = new ArrayList<>();
        private final Map<StatementName, StatementText> texts = new HashMap<>();
        private final Map<PlanName, KeptPlan> plans = new HashMap<>();
    }

    private final Map<String, Kept> clusters = new HashMap<>();

    private Kept of(String cluster) {
        return clusters.computeIfAbsent(cluster, first -> new Kept());
    }

    @Override
    public synchronized List<StatementSnapshot> snapshots(String cluster) {
        return new StatementHistory(of(cluster).snapshots).snapshots();
    }

    @Override
    public synchronized Map<StatementName, StatementText> texts(String cluster) {
        return Map.copyOf(of(cluster).texts);
    }

    @Override
    public synchronized void keep(
            RunContext run, StatementSnapshot snapshot, Map<StatementName, StatementText> texts, Instant notBefore) {
        Kept kept = of(run.cluster());
        boolean isSoon = kept.snapshots.stream()
                .anyMatch(other -> other.node().equals(snapshot.node())
                        && other.series().equals(snapshot.series())
                        && other.at().isAfter(snapshot.at().minus(APART)));
        if (!isSoon) {
            kept.snapshots.add(snapshot);
        }
        texts.forEach(kept.texts::putIfAbsent);
        kept.snapshots.removeIf(other -> other.at().isBefore(notBefore));
        kept.texts
                .keySet()
                .retainAll(kept.snapshots.stream()
                        .flatMap(other -> other.counts().stream())
                        .map(count -> count.key().name())
                        .collect(Collectors.toSet()));
        kept.plans.values().removeIf(plan -> plan.last().isBefore(notBefore));
    }

    @Override
    public synchronized List<KeptPlan> plans(String cluster) {
        return of(cluster).plans.values().stream()
                .sorted(Comparator.comparing(KeptPlan::first).thenComparing(KeptPlan::digest))
                .toList();
    }

    @Override
    public synchronized void keepPlans(RunContext run, Collection<KeptPlan> plans) {
        for (KeptPlan plan : plans) {
            of(run.cluster())
                    .plans
                    .merge(
                            new PlanName(plan.query(), plan.digest()),
                            plan,
                            (old, now) -> new KeptPlan(now.query(), now.digest(), now.text(), old.first(), now.last()));
        }
    }
}
