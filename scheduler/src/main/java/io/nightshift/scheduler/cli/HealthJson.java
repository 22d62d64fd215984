package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import io.nightshift.infra.routing.ObservedCluster;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The health of a cluster for programs. */
final class HealthJson {

    private HealthJson() {}

    static Map<String, Object> of(HealthReport report) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("cluster", report.cluster());
        document.put("at", report.at());
        document.put("reachable", report.isReachable());
        document.put(
                "nodes",
                report.observed().nodes().stream()
                        .map(node -> node(report, node))
                        .toList());
        document.put("databases", report.databases());
        document.put(
                "findings", report.findings().stream().map(HealthJson::finding).toList());
        document.put(
                "notEvaluated",
                report.notEvaluated().stream().map(HealthJson::gap).toList());
        document.put("fine", report.fine());
        document.put("idle", report.idle());
        document.put("leftOut", report.leftOut());
        return document;
    }

    private static Map<String, Object> node(HealthReport report, NodeObservation node) {
        ObservedCluster observed = report.observed();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("node", node.node().toString());
        if (node instanceof Unreachable unreachable) {
            json.put("reachable", false);
            json.put("reason", String.valueOf(unreachable.reason().getMessage()));
        } else if (node instanceof Answered answered) {
            json.put("reachable", true);
            json.put("role", answered.inRecovery() ? "standby" : "primary");
            json.put("version", answered.version().toString());
            json.put("systemIdentifier", answered.system().toString());
            json.put("timeline", Integer.toUnsignedLong(answered.timeline().id()));
            json.put("location", answered.location().toString());
            if (answered.inRecovery()) {
                observed.lag(answered).map(DataSize::bytes).ifPresent(bytes -> json.put("lagBytes", bytes));
            }
            Duration sinceReplay = answered.sinceReplay();
            if (sinceReplay != null) {
                json.put("sinceReplaySeconds", sinceReplay.toMillis() / 1000.0);
            }
            report.comparedWith()
                    .getOrDefault(node.node(), Optional.empty())
                    .ifPresent(look -> json.put("countersComparedWith", look));
            json.put("connectionsUsed", answered.sessions().used());
            json.put("connectionsAllowed", answered.sessions().allowed());
        }
        return json;
    }

    private static Map<String, Object> finding(Wrong finding) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("key", finding.key());
        json.put("check", finding.check());
        json.put("severity", finding.severity().name().toLowerCase(Locale.ROOT));
        json.put("subject", finding.subject());
        json.put("detail", finding.detail());
        json.put("remedy", finding.remedy());
        return json;
    }

    private static Map<String, Object> gap(NotEvaluated gap) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("check", gap.check());
        json.put("subject", gap.subject());
        json.put("reason", gap.reason());
        return json;
    }
}
