package io.nightshift.infra.health;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthReport.DatabaseSize;
import io.nightshift.infra.health.HealthResult.Fine;
import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.SqlCheck.Where;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.StepThreads;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at a cluster: first all nodes are observed, to see who is what, then each is checked on a thread of its own. A node
 * that is down or hangs costs time up to its limit and nothing else. What the nodes count is kept for the next look.
 * Thread-safe; each look opens its own sessions, one per node, and closes them.
 */
public final class ClusterHealth {

    private static final Logger LOG = LoggerFactory.getLogger(ClusterHealth.class);

    private final ClusterConnections connections;
    private final CounterReadings readings;
    private final List<SqlCheck> checks;
    private final Clock clock;

    public ClusterHealth(ClusterConnections connections, CounterReadings readings, Clock clock) {
        this(connections, readings, HealthChecks.BY_SQL, clock);
    }

    ClusterHealth(ClusterConnections connections, CounterReadings readings, List<SqlCheck> checks, Clock clock) {
        this.connections = connections;
        this.readings = readings;
        this.checks = checks;
        this.clock = clock;
    }

    /**
     * Looks once, which takes about as long as the slowest node.
     *
     * @param purpose of the sessions, such as {@code health} or {@code run 17}; seen in {@code pg_stat_activity}
     * @throws NightshiftException CANCELLED when that is asked for meanwhile; nothing else, whatever the nodes do
     */
    @SuppressWarnings("try") // the registration is for closing only
    public HealthReport look(HealthSettings settings, String purpose, Cancellation cancellation) {
        ClusterConfig config = connections.cluster();
        CounterHistory history = history();
        Map<NodeAddress, NodeCounters> counters = new LinkedHashMap<>();
        config.nodes().forEach(node -> counters.put(node, new NodeCounters(history)));
        Map<NodeAddress, NodeLook> looks = new LinkedHashMap<>();
        counters.forEach(
                (node, counted) -> looks.put(node, new NodeLook(connections, node, purpose, settings, counted, clock)));
        ExecutorService threads = Executors.newCachedThreadPool(StepThreads.named("health"));
        try (var freeing = cancellation.onCancel(() -> looks.values().forEach(look -> look.cut("stopped")))) {
            ObservedCluster observed = connections.monitor().observeNow();
            cancellation.check();
            List<HealthResult> results = new ArrayList<>(judge(observed, settings));
            results.addAll(evaluate(threads, looks, observed, settings));
            cancellation.check();
            keep(history, counters.values());
            return new HealthReport(
                    config.name(),
                    clock.instant(),
                    observed,
                    databases(looks),
                    results,
                    comparedWith(counters),
                    settings.except());
        } finally {
            looks.values().forEach(look -> look.cut("done"));
            threads.shutdown();
        }
    }

    /** Whoever cannot be asked for it spoils nothing: what was counted since the statistics began is judged. */
    private CounterHistory history() {
        try {
            return new CounterHistory(readings.of(connections.cluster().name()));
        } catch (NightshiftException away) {
            LOG.warn("{}; judged by what was counted since the statistics began", away.getMessage());
            return new CounterHistory(List.of());
        }
    }

    private void keep(CounterHistory history, Collection<NodeCounters> counters) {
        CounterHistory kept = history;
        for (NodeCounters counted : counters) {
            kept = counted.reading().map(kept::with).orElse(kept);
        }
        if (kept.equals(history)) {
            return;
        }
        try {
            readings.keep(connections.cluster().name(), kept.readings());
        } catch (NightshiftException away) {
            LOG.warn("{}", away.getMessage());
        }
    }

    private static Map<NodeAddress, Optional<Instant>> comparedWith(Map<NodeAddress, NodeCounters> counters) {
        Map<NodeAddress, Optional<Instant>> compared = new LinkedHashMap<>();
        counters.forEach(
                (node, counted) -> counted.reading().ifPresent(reading -> compared.put(node, counted.comparedWith())));
        return compared;
    }

    /** What the nodes have said is judged together. */
    private List<HealthResult> judge(ObservedCluster observed, HealthSettings settings) {
        List<HealthResult> results = new ArrayList<>();
        for (ClusterCheck check : HealthChecks.OF_CLUSTER) {
            if (!settings.except().contains(check.name())) {
                List<HealthResult> found = check.judge(observed);
                results.addAll(found.isEmpty() ? List.of(silent(check.name(), observed)) : found);
            }
        }
        return results;
    }

    private static HealthResult silent(String check, ObservedCluster observed) {
        String subject = "cluster " + observed.name();
        return observed.answered().isEmpty()
                ? new NotEvaluated(check, subject, "no node answers")
                : new Fine(check, subject);
    }

    private List<HealthResult> evaluate(
            ExecutorService threads,
            Map<NodeAddress, NodeLook> looks,
            ObservedCluster observed,
            HealthSettings settings) {
        List<SqlCheck> chosen = checks.stream()
                .filter(check -> !settings.except().contains(check.name()))
                .toList();
        long deadline = System.nanoTime() + settings.nodeLimit().toNanos();
        Map<NodeLook, Future<Boolean>> working = new LinkedHashMap<>();
        for (Answered node : observed.answered()) {
            NodeLook look = looks.get(node.node());
            if (look != null) {
                working.put(look, threads.submit(() -> {
                    look.evaluate(node, observed, chosen, connections.cluster().databases());
                    return true;
                }));
            }
        }
        List<HealthResult> results = new ArrayList<>();
        working.forEach((look, end) -> {
            if (!await(end, deadline, false)) {
                look.cut("the node was not done within node-limit (" + Durations.print(settings.nodeLimit()) + ")");
            }
            results.addAll(look.results());
        });
        results.addAll(withoutNode(observed, chosen));
        return results;
    }

    /** What nobody could be asked. */
    private static List<HealthResult> withoutNode(ObservedCluster observed, List<SqlCheck> chosen) {
        List<HealthResult> results = new ArrayList<>();
        boolean noPrimary = observed.answered().stream().allMatch(Answered::inRecovery);
        String reason = observed.conflict()
                .filter(conflict -> !noPrimary)
                .map(conflict -> String.valueOf(conflict.getMessage()))
                .orElse("no primary answers");
        for (SqlCheck check : chosen) {
            if (check.where() == Where.EVERY_NODE || check.where() == Where.STANDBYS) {
                observed.unreachable()
                        .forEach(node -> results.add(
                                new NotEvaluated(check.name(), node.node().toString(), "the node does not answer")));
            } else if ((check.where() == Where.PRIMARY && noPrimary)
                    || (check.where() == Where.DATABASES && observed.primary().isEmpty())) {
                results.add(new NotEvaluated(check.name(), "cluster " + observed.name(), reason));
            }
        }
        return results;
    }

    private static List<DatabaseSize> databases(Map<NodeAddress, NodeLook> looks) {
        return looks.values().stream()
                .map(NodeLook::databases)
                .filter(sizes -> !sizes.isEmpty())
                .findFirst()
                .orElse(List.of());
    }

    private static <T> T await(Future<T> task, long deadline, T otherwise) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (TimeoutException tooLong) {
                    return otherwise;
                } catch (ExecutionException e) {
                    throw NightshiftException.of(e.getCause() == null ? e : e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
