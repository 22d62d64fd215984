package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Workers;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.job.JobExecutionException;
import org.springframework.batch.core.job.JobInterruptedException;
import org.springframework.batch.core.partition.PartitionHandler;
import org.springframework.batch.core.partition.StepExecutionSplitter;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.StepExecution;

/** Lets the partitions of a run work off what is open on its server, each on a thread of its own. */
final class PartitionedCheck implements PartitionHandler {

    private final RunContext run;
    private final Judgements judgements;
    private final ChunkBook book;
    private final Step partition;

    PartitionedCheck(RunContext run, Judgements judgements, ChunkBook book, Step partition) {
        this.run = run;
        this.judgements = judgements;
        this.book = book;
        this.partition = partition;
    }

    @Override
    public Collection<StepExecution> handle(StepExecutionSplitter splitter, StepExecution step)
            throws JobExecutionException {
        Judgement judgement = judgements.of(run.id()).orElse(null);
        if (judgement == null) {
            return List.of();
        }
        IntegritySettings settings = run.settings(IntegritySettings.class);
        JudgedServer server = judgement.server();
        List<Chunk> chunks = book.chunks(run, server.toString());
        try (GiveWay others = giveWay(server)) {
            judgement.begin(new OpenChunks(chunks, settings.timeLimit(), run.cancellation(), others));
            progress(server, chunks);
            Collection<StepExecution> executions = splitter.split(step, settings.parallel());
            Queue<StepExecution> waiting = new ConcurrentLinkedQueue<>(executions);
            Workers.run(
                    executions.size(),
                    "check-chunks",
                    run.cancellation(),
                    stop -> work(waiting.remove(), judgement.open()));
            return executions;
        } catch (SQLException e) {
            throw SqlStates.failure(server + " was lost", e);
        }
    }

    private void progress(JudgedServer server, List<Chunk> chunks) {
        Map<Boolean, List<Piece>> pieces = chunks.stream()
                .collect(Collectors.partitioningBy(
                        Chunk::isFinished,
                        Collectors.mapping(chunk -> Piece.parse(chunk.work()), Collectors.toList())));
        Piece.begin(
                run.progress(),
                "check " + server,
                pieces.values().stream().flatMap(List::stream).toList());
        pieces.getOrDefault(true, List.of()).forEach(piece -> piece.isDone(run.progress()));
    }

    /** On a copy there is nobody to give way to. */
    private @Nullable GiveWay giveWay(JudgedServer server) throws SQLException {
        return server instanceof JudgedServer.Node node
                ? new GiveWay(CheckSession.of(node.node().direct(run.purpose()), run.cancellation()))
                : null;
    }

    /** The failure of one ends all: the step fails with it, not with that of its partition. */
    private void work(StepExecution execution, OpenChunks open) {
        try {
            partition.execute(execution);
        } catch (JobInterruptedException e) {
            throw NightshiftException.of(e);
        }
        execution.getFailureExceptions().stream().findFirst().ifPresent(failure -> {
            open.end();
            throw NightshiftException.of(failure);
        });
    }
}
