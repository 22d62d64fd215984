package io.nightshift.jobs.proof;

import io.nightshift.infra.run.RunContext;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Ends the copy's server and removes its files. */
final class DiscardCopyTasklet implements Tasklet {

    private final RunContext run;
    private final TestedCopies tested;

    DiscardCopyTasklet(RunContext run, TestedCopies tested) {
        this.run = run;
        this.tested = tested;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        run.progress().begin("throw the copy away", null, "");
        tested.discard(run.id());
        return RepeatStatus.FINISHED;
    }
}
