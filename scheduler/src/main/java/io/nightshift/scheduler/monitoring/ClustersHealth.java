package io.nightshift.scheduler.monitoring;

import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.Capability;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.Severity;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * How the nodes of the clusters were last seen, and which of them this process leaves alone. Always up: a cluster that is
 * away is no reason to restart the process that looks after the others.
 */
public final class ClustersHealth implements HealthIndicator {

    private final DatabaseOrchestrator clusters;

    public ClustersHealth(DatabaseOrchestrator clusters) {
        this.clusters = clusters;
    }

    @Override
    public Health health() {
        Health.Builder health = Health.up();
        clusters.clusters().forEach(cluster -> health.withDetail(cluster.name(), details(cluster)));
        return health.build();
    }

    private static Map<String, Object> details(ManagedCluster cluster) {
        ObservedCluster observed = cluster.known();
        Map<String, Object> details = new LinkedHashMap<>();
        observed.conflict().ifPresent(conflict -> details.put("conflict", String.valueOf(conflict.getMessage())));
        observed.nodes().forEach(node -> {
            Map<String, Object> known = details(observed, node, cluster.breaker(node.node()));
            cluster.node(node.node()).knownFacts().map(ClustersHealth::lacks).ifPresent(known::putAll);
            details.put(node.node().toString(), known);
        });
        cluster.lastHealth().ifPresent(report -> details.put("lastHealthCheck", details(report)));
        return details;
    }

    private static Map<String, Object> details(HealthReport report) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("at", report.at());
        details.put("critical", report.count(Severity.CRITICAL));
        details.put("warnings", report.count(Severity.WARNING));
        details.put("notEvaluated", report.notEvaluated().size());
        return details;
    }

    /** What cannot be done there, and why, as far as a job has found out. */
    private static Map<String, Object> lacks(ServerFacts facts) {
        Map<String, Object> lacks = new TreeMap<>();
        for (Capability capability : Capability.values()) {
            facts.lack(capability)
                    .ifPresent(lack ->
                            lacks.put(capability.name().toLowerCase(Locale.ROOT).replace('_', '-'), lack.fact()));
        }
        return lacks.isEmpty() ? Map.of() : Map.of("cannot", lacks);
    }

    private static Map<String, Object> details(ObservedCluster observed, NodeObservation node, String breaker) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("at", node.at());
        if (node instanceof Answered answered) {
            details.put("role", answered.inRecovery() ? "standby" : "primary");
            details.put("timeline", answered.timeline().id());
            if (answered.inRecovery()) {
                observed.lag(answered)
                        .ifPresentOrElse(
                                lag -> details.put("lagBytes", lag.bytes()), () -> details.put("lagBytes", "unknown"));
            }
        } else if (node instanceof Unreachable unreachable) {
            details.put("reason", String.valueOf(unreachable.reason().getMessage()));
        }
        details.put("breaker", breaker);
        return details;
    }
}
