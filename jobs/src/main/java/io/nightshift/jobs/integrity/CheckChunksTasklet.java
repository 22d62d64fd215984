package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * One partition: looks at one open chunk after the other, in a session of its own. What is finished is in the book a moment
 * later, so that a restart on the same server goes on behind it.
 */
final class CheckChunksTasklet implements Tasklet {

    private static final Outcome ON_DAMAGED =
            Outcome.notEvaluated("its table is damaged: to read its rows could end the server");

    private static final Outcome LOST =
            Outcome.notEvaluated("the connection was lost while it was looked at; not tried again in this run");

    private final RunContext run;
    private final Judgements judgements;
    private final ChunkBook book;

    CheckChunksTasklet(RunContext run, Judgements judgements, ChunkBook book) {
        this.run = run;
        this.judgements = judgements;
        this.book = book;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        Judgement judgement = judgements.of(run.id()).orElseThrow();
        OpenChunks open = judgement.open();
        try (FinishedChunks finished = new FinishedChunks(book, run);
                PieceCheck check = new PieceCheck(
                        judgement.server(), run.settings(IntegritySettings.class), run, open.others(), open::isOver)) {
            for (Optional<Chunk> next = open.next(); next.isPresent(); next = open.next()) {
                Chunk chunk = next.get();
                Piece piece = Piece.parse(chunk.work());
                Outcome outcome = open.isDamaged(piece.target()) ? ON_DAMAGED : look(check, finished, chunk, piece);
                open.learn(piece, outcome);
                finished.add(chunk, outcome);
                piece.isDone(run.progress());
            }
        } catch (SQLException e) {
            throw SqlStates.failure("session on " + judgement.server() + " not closed", e);
        }
        return RepeatStatus.FINISHED;
    }

    /** What a server was lost at is not looked at again: it may have ended it. */
    private static Outcome look(PieceCheck check, FinishedChunks finished, Chunk chunk, Piece piece) {
        try {
            return check.look(piece);
        } catch (NightshiftException lost) {
            if (check.wasLooking() && lost.kind() == FailureKind.POSTGRES_UNAVAILABLE) {
                finished.add(chunk, LOST);
            }
            throw lost;
        }
    }
}
