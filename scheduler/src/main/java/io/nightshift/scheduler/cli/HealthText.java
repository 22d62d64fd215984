package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.health.HealthReport.DatabaseSize;
import io.nightshift.infra.health.HealthReport.Gap;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.Severity;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The health of a cluster as people read it: what is wrong first, worst first. */
final class HealthText {

    private static final int MOST_DATABASES = 5;
    private static final int WIDTH = 110;

    private HealthText() {}

    static void print(PrintWriter out, HealthReport report) {
        out.println("Cluster " + report.cluster() + " at " + RunText.time(report.at()) + ": " + verdict(report));
        nodes(out, report.observed());
        databases(out, report.databases());
        report.findings().forEach(finding -> finding(out, finding));
        if (!report.gaps().isEmpty()) {
            out.println();
            out.println("not evaluated");
            for (Gap gap : report.gaps()) {
                out.println("  " + gap.subject() + ": " + gap.reason());
                wrap(out, "    ", checks(gap.checks()));
            }
        }
        if (!report.fine().isEmpty()) {
            out.println();
            wrap(out, "", "nothing found by " + checks(List.copyOf(report.fine())));
        }
        if (!report.idle().isEmpty()) {
            wrap(out, "", "nothing to look at for " + checks(List.copyOf(report.idle())));
        }
        counters(out, report);
        if (!report.leftOut().isEmpty()) {
            out.println("left out by the settings: " + String.join(", ", report.leftOut()));
        }
        out.println("not visible over SQL: " + HealthReport.UNSEEN);
    }

    private static String verdict(HealthReport report) {
        if (!report.isReachable()) {
            return "no node answers";
        }
        long critical = report.count(Severity.CRITICAL);
        long warnings = report.findings().size() - critical;
        List<String> parts = new ArrayList<>();
        if (critical > 0) {
            parts.add(critical + " critical");
        }
        if (warnings > 0) {
            parts.add(warnings + (warnings == 1 ? " warning" : " warnings"));
        }
        if (!report.notEvaluated().isEmpty()) {
            parts.add("not everything could be checked");
        }
        return parts.isEmpty() ? "healthy" : String.join(", ", parts);
    }

    private static void nodes(PrintWriter out, ObservedCluster observed) {
        TextTable table =
                new TextTable("node", "role", "server", "timeline", "location", "lag", "replayed", "connections");
        for (NodeObservation node : observed.nodes()) {
            if (node instanceof Answered answered) {
                table.row(
                        node.node().toString(),
                        answered.inRecovery() ? "standby" : "primary",
                        answered.version().toString(),
                        answered.timeline().toString(),
                        answered.location().toString(),
                        answered.inRecovery()
                                ? observed.lag(answered).map(DataSize::rounded).orElse("unknown")
                                : "-",
                        replayed(answered),
                        answered.sessions().used() + " of "
                                + answered.sessions().allowed());
            } else {
                table.row(node.node().toString(), "does not answer", "-", "-", "-", "unknown", "-", "-");
            }
        }
        table.print(out, "  ");
    }

    /** How old the newest transaction is that a standby has replayed. */
    private static String replayed(Answered answered) {
        Duration since = answered.sinceReplay();
        return since == null ? "-" : RunText.duration(since) + " ago";
    }

    private static void databases(PrintWriter out, List<DatabaseSize> databases) {
        if (databases.isEmpty()) {
            return;
        }
        String largest = databases.stream()
                .limit(MOST_DATABASES)
                .map(database ->
                        database.name() + (database.bytes() == null ? "" : " " + Arguments.bytes(database.bytes())))
                .collect(Collectors.joining(", "));
        int more = databases.size() - MOST_DATABASES;
        out.println("  databases: " + largest + (more > 0 ? " and " + more + " more" : ""));
    }

    private static void finding(PrintWriter out, Wrong finding) {
        out.println();
        out.println(
                finding.severity().name().toLowerCase(Locale.ROOT) + "  " + finding.check() + ": " + finding.subject());
        wrap(out, "  ", finding.detail());
        wrap(out, "  HINT: ", finding.remedy());
    }

    /** Over what time averages are judged. */
    private static void counters(PrintWriter out, HealthReport report) {
        Map<String, List<NodeAddress>> nodes = new LinkedHashMap<>();
        report.comparedWith()
                .forEach((node, look) -> nodes.computeIfAbsent(
                                look.map(at -> "the look at " + RunText.time(at)
                                                + (report.isADayAfter(at) ? "" : ", and since the statistics began"))
                                        .orElse("the statistics began"),
                                since -> new ArrayList<>())
                        .add(node));
        nodes.forEach((since, those) -> out.println("averages are those since " + since
                + (nodes.size() == 1
                        ? ""
                        : " on " + those.stream().map(NodeAddress::toString).collect(Collectors.joining(", ")))));
    }

    private static String checks(List<String> names) {
        return names.size() + (names.size() == 1 ? " check: " : " checks: ") + String.join(", ", names);
    }

    /** Breaks between words, so that a command is found in one piece where it fits. */
    private static void wrap(PrintWriter out, String begin, String text) {
        String indent = " ".repeat(begin.length());
        StringBuilder line = new StringBuilder(begin);
        boolean empty = true;
        for (String word : List.of(text.split(" ", -1))) {
            if (!empty && line.length() + 1 + word.length() > WIDTH) {
                out.println(line);
                line = new StringBuilder(indent);
                empty = true;
            }
            line.append(empty ? "" : " ").append(word);
            empty = false;
        }
        out.println(line);
    }
}
