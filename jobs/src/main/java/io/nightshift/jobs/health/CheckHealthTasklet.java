package io.nightshift.jobs.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.health.HealthChecks;
import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.health.HealthResult;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.health.HealthSettings;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.util.List;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Looks at a cluster, and reports what it sees. A cluster of which no node answers is a finding, too. */
final class CheckHealthTasklet implements Tasklet {

    private final RunContext run;
    private final DatabaseOrchestrator clusters;

    CheckHealthTasklet(RunContext run, DatabaseOrchestrator clusters) {
        this.run = run;
        this.clusters = clusters;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        HealthSettings settings = run.settings(HealthSettings.class);
        run.progress().begin("check health", null, "");
        if (run.dryRun()) {
            ObservedCluster observed = cluster.observeNow();
            nodes(observed);
            run.summary("would do "
                    + (HealthChecks.all().size() - settings.except().size()) + " checks on "
                    + observed.answered().size() + " of " + observed.nodes().size() + " nodes, which answer");
            return RepeatStatus.FINISHED;
        }
        report(cluster.health(settings, run.purpose(), run.cancellation()));
        return RepeatStatus.FINISHED;
    }

    private void report(HealthReport report) {
        report.findings().stream().map(Wrong::finding).forEach(run::report);
        report.gaps()
                .forEach(gap -> run.notEvaluated(new NotEvaluated(
                        gap.subject() + ": " + String.join(", ", gap.checks()),
                        gap.reason(),
                        gap.checks().stream().map(HealthResult::keys).toList())));
        nodes(report.observed());
        run.section(Section.text("fine", String.join(", ", report.fine())));
        if (!report.idle().isEmpty()) {
            run.section(Section.text("nothing to look at", String.join(", ", report.idle())));
        }
        long critical = report.count(Severity.CRITICAL);
        long warnings = report.count(Severity.WARNING);
        run.measured(new Figure("critical findings", critical, ""));
        run.measured(new Figure("warnings", warnings, ""));
        run.measured(new Figure("checks that found nothing", report.fine().size(), ""));
        run.summary(
                report.isReachable()
                        ? "%d critical, %d warnings; %d checks found nothing"
                                .formatted(critical, warnings, report.fine().size())
                        : "no node of cluster " + run.cluster() + " answers");
    }

    private void nodes(ObservedCluster observed) {
        run.section(Section.table(
                "nodes",
                List.of("node", "role", "timeline", "location", "lag", "connections"),
                observed.nodes().stream().map(node -> row(observed, node)).toList()));
    }

    private static List<String> row(ObservedCluster observed, NodeObservation node) {
        if (!(node instanceof Answered answered)) {
            return List.of(node.node().toString(), "does not answer", "-", "-", "unknown", "-");
        }
        return List.of(
                node.node().toString(),
                answered.inRecovery() ? "standby" : "primary",
                answered.timeline().toString(),
                answered.location().toString(),
                answered.inRecovery()
                        ? observed.lag(answered).map(DataSize::rounded).orElse("unknown")
                        : "-",
                answered.sessions().used() + " of " + answered.sessions().allowed());
    }
}
