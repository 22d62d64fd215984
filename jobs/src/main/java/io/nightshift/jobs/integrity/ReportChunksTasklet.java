package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import java.util.List;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Says what the chunks have shown, those of earlier attempts too, and keeps what was covered. */
final class ReportChunksTasklet implements Tasklet {

    private final RunContext run;
    private final Judgements judgements;
    private final DatabaseOrchestrator clusters;
    private final ChunkBook book;
    private final Clock clock;

    ReportChunksTasklet(
            RunContext run, Judgements judgements, DatabaseOrchestrator clusters, ChunkBook book, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.judgements = judgements;
        this.book = book;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        judgements.of(run.id()).ifPresent(judgement -> report(judgement.server()));
        return RepeatStatus.FINISHED;
    }

    /** What is damaged on a server that nobody looks at stays so, and what is in a copy when nodes are looked at. */
    private void leaveAlone(JudgedServer server, IntegritySettings settings) {
        List<NodeAddress> nodes = clusters.cluster(run.cluster()).config().nodes();
        for (Check check : Check.values()) {
            boolean isExcepted = settings.except().contains(check);
            if (isExcepted || (check.looksForDamage() && server instanceof JudgedServer.Node)) {
                run.leftAlone(Target.KEY + check + "/");
            }
            if (isExcepted) {
                nodes.forEach(node -> run.leftAlone(IntegrityReport.keysOf(node.toString()) + check + "/"));
            }
        }
        if (settings.everyNodeWithin().isZero()) {
            nodes.stream()
                    .map(NodeAddress::toString)
                    .filter(node -> !node.equals(server.coverage()))
                    .forEach(node -> run.leftAlone(IntegrityReport.keysOf(node)));
        }
    }

    private void report(JudgedServer server) {
        CrashPoint.reach("integrity-validation.checked");
        IntegrityReport report = IntegrityReport.of(book.chunks(run, server.toString()));
        IntegritySettings settings = run.settings(IntegritySettings.class);
        report.write(
                run,
                server.toString(),
                server instanceof JudgedServer.Node ? server.coverage() : null,
                settings.timeLimit());
        if (settings.deep() && server.isStandby()) {
            run.notEvaluated(
                    "indexes, across their pages",
                    "a standby gives no lock for it: set where: primary, or keep a restored copy");
        }
        leaveAlone(server, settings);
        run.checkOwnership();
        Coverage.of(server.coverage(), book, run.cluster())
                .keep(report.targets(), report.sound(), report.wrong(), clock.instant());
        CrashPoint.reach("integrity-validation.reported");
    }
}
