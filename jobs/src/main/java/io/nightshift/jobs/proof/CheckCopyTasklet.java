package io.nightshift.jobs.proof;

import io.nightshift.infra.run.RunContext;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Reads and compares what is in the open copy. What is wrong there are findings. */
final class CheckCopyTasklet implements Tasklet {

    private final RunContext run;
    private final TestedCopies tested;

    CheckCopyTasklet(RunContext run, TestedCopies tested) {
        this.run = run;
        this.tested = tested;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        tested.of(run.id()).filter(test -> !test.isRefused()).ifPresent(this::check);
        return RepeatStatus.FINISHED;
    }

    private void check(TestedCopy test) {
        RestoreTestSettings settings = run.settings(RestoreTestSettings.class);
        test.checked(new CopyChecks(
                        test.copy(),
                        settings.assertions(),
                        new CheckTime(settings.checkLimit()),
                        run.progress(),
                        run.cancellation())
                .run());
    }
}
