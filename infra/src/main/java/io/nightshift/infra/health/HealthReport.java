package io.nightshift.infra.health;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthResult.Fine;
import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a look at a cluster has shown.
 *
 * @param databases of the primary, largest first; empty when it did not say
 * @param results of all checks on all subjects
 * @param comparedWith for each node that was asked what it has counted, the earlier look with which that was compared;
 *     empty where there is none, so that all is judged that was counted since the statistics began
 * @param leftOut checks that the settings leave out
 */
public record HealthReport(
        String cluster,
        Instant at,
        ObservedCluster observed,
        List<DatabaseSize> databases,
        List<HealthResult> results,
        Map<NodeAddress, Optional<Instant>> comparedWith,
        List<String> leftOut) {

    /** What can only be seen on the machines themselves. */
    public static final String UNSEEN = "free disk space, load, memory and disk errors of the machines";

    private static final int DAMAGED = 3;
    private static final int UNREACHABLE = 5;
    private static final int NOT_EVALUATED = 6;

    /**
     * A database.
     *
     * @param bytes null when it could not be measured
     */
    public record DatabaseSize(String name, @Nullable Long bytes) {}

    /** Checks that could not be done on a subject for one reason. */
    public record Gap(String subject, List<String> checks, String reason) {}

    public HealthReport {
        databases = List.copyOf(databases);
        results = List.copyOf(results);
        leftOut = List.copyOf(leftOut);
    }

    /** What is wrong, worst first. */
    public List<Wrong> findings() {
        return results.stream()
                .filter(Wrong.class::isInstance)
                .map(Wrong.class::cast)
                .sorted(Comparator.comparing(Wrong::severity).reversed())
                .toList();
    }

    /** How many findings of a severity there are. */
    public long count(Severity severity) {
        return findings().stream()
                .filter(finding -> finding.severity() == severity)
                .count();
    }

    public List<NotEvaluated> notEvaluated() {
        return results.stream()
                .filter(NotEvaluated.class::isInstance)
                .map(NotEvaluated.class::cast)
                .toList();
    }

    /** The same for people, who need not read one reason forty times. */
    public List<Gap> gaps() {
        record Why(String subject, String reason) {}
        Map<Why, List<String>> checks = new LinkedHashMap<>();
        notEvaluated()
                .forEach(gap -> checks.computeIfAbsent(new Why(gap.subject(), gap.reason()), why -> new ArrayList<>())
                        .add(gap.check()));
        return checks.entrySet().stream()
                .map(gap -> new Gap(
                        gap.getKey().subject(),
                        List.copyOf(gap.getValue()),
                        gap.getKey().reason()))
                .toList();
    }

    /** Checks that were done everywhere and found nothing. */
    public Set<String> fine() {
        Set<String> fine = new LinkedHashSet<>();
        results.stream().filter(Fine.class::isInstance).map(HealthResult::check).forEach(fine::add);
        results.stream()
                .filter(result -> !(result instanceof Fine))
                .map(HealthResult::check)
                .forEach(fine::remove);
        return fine;
    }

    /** Whether counts since an earlier look cover about a day; otherwise those since the statistics began are judged, too. */
    public boolean isADayAfter(Instant look) {
        return CounterHistory.isAboutADay(Duration.between(look, at));
    }

    /** Checks that had nothing to look at, such as those of standbys where there is none. */
    public Set<String> idle() {
        Set<String> idle = HealthChecks.names();
        results.stream().map(HealthResult::check).forEach(idle::remove);
        leftOut.forEach(idle::remove);
        return idle;
    }

    /** Whether any node answers. */
    public boolean isReachable() {
        return !observed.answered().isEmpty();
    }

    /** 5 when no node answers; else 3 with a critical finding, 6 when something was not evaluated, or 0. */
    public int exitStatus() {
        if (!isReachable()) {
            return UNREACHABLE;
        }
        if (findings().stream().anyMatch(finding -> finding.severity() == Severity.CRITICAL)) {
            return DAMAGED;
        }
        return notEvaluated().isEmpty() ? 0 : NOT_EVALUATED;
    }

    /** Of several clusters: 3 before 5 before 6 before 0. */
    public static int exitStatus(List<HealthReport> reports) {
        List<Integer> worstFirst = List.of(DAMAGED, UNREACHABLE, NOT_EVALUATED);
        return worstFirst.stream()
                .filter(status -> reports.stream().anyMatch(report -> report.exitStatus() == status))
                .findFirst()
                .orElse(0);
    }
}
