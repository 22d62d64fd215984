package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Chooses the server that is judged, and writes down what is looked at there, unless an earlier attempt has done so. */
final class PlanChunksTasklet implements Tasklet {

    /** What may become temporary files on a server that others need. */
    private static final DataSize SORTED_ON_NODE = DataSize.ofMegabytes(4 << 10);

    private final RunContext run;
    private final Judgements judgements;
    private final DatabaseOrchestrator clusters;
    private final RestoredCopies copies;
    private final ChunkBook book;
    private final Clock clock;

    PlanChunksTasklet(
            RunContext run,
            Judgements judgements,
            DatabaseOrchestrator clusters,
            RestoredCopies copies,
            ChunkBook book,
            Clock clock) {
        this.run = run;
        this.judgements = judgements;
        this.clusters = clusters;
        this.copies = copies;
        this.book = book;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        IntegritySettings settings = run.settings(IntegritySettings.class);
        ManagedCluster cluster = clusters.cluster(run.cluster());
        JudgedServer server = JudgedServer.choose(settings.where(), cluster, copies, run, clock.instant());
        if (run.dryRun()) {
            try (server) {
                preview(server, plan(server, cluster, settings));
            }
            return RepeatStatus.FINISHED;
        }
        judgements.begin(run.id(), new Judgement(server));
        if (book.chunks(run, server.toString()).isEmpty()) {
            book.plan(
                    run,
                    server.toString(),
                    plan(server, cluster, settings).stream().map(Piece::json).toList());
        }
        CrashPoint.reach("integrity-validation.planned");
        return RepeatStatus.FINISHED;
    }

    private List<Piece> plan(JudgedServer server, ManagedCluster cluster, IntegritySettings settings) {
        run.progress().begin("plan", null, "");
        List<Target> targets = new ServerTargets(run, cluster, settings).of(server);
        if (server instanceof JudgedServer.Node) {
            targets.replaceAll(target -> target.check() == Check.UNIQUE && target.bytes() > SORTED_ON_NODE.bytes()
                    ? target.lacking("sorting more than " + SORTED_ON_NODE
                            + " could fill the disk of a node: only done on a restored copy")
                    : target);
        }
        Map<String, Instant> covered =
                Coverage.of(server.coverage(), book, run.cluster()).looks();
        return IntegrityPlan.of(targets, covered, settings.chunkSize().bytes() / Piece.BLOCK);
    }

    private void preview(JudgedServer server, List<Piece> pieces) {
        run.summary("would look at " + IntegrityReport.bytes(pieces) + " in " + pieces.size() + " chunks on " + server);
    }
}
