package io.nightshift.jobs.proof;

import io.nightshift.infra.restore.KeptCopy;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Leaves a copy without fault to the jobs that want it, if that is asked for; any other ends, with its files. */
final class KeepCopyTasklet implements Tasklet {

    private final RunContext run;
    private final TestedCopies tested;
    private final RestoredCopies copies;
    private final Clock clock;

    KeepCopyTasklet(RunContext run, TestedCopies tested, RestoredCopies copies, Clock clock) {
        this.run = run;
        this.tested = tested;
        this.copies = copies;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        Duration time = run.settings(RestoreTestSettings.class).keepCopy();
        if (time != null) {
            tested.of(run.id()).ifPresent(test -> keep(test, time));
        }
        run.progress().begin("throw the copy away", null, "");
        tested.discard(run.id()); // of a kept one only the memory
        return RepeatStatus.FINISHED;
    }

    private void keep(TestedCopy test, Duration time) {
        TestedCopy.@Nullable Opened opened = test.opened();
        if (opened == null || test.isRefused() || !test.result().wrong().isEmpty()) {
            return;
        }
        run.progress().begin("keep the copy", null, "");
        run.checkOwnership();
        Instant now = clock.instant();
        KeptCopy kept = test.copy()
                .keep(
                        copies,
                        new KeptCopy.Origin(
                                run.id(),
                                run.lease().owner(),
                                test.chosen().plan().document()),
                        new KeptCopy.Reached(
                                opened.reached().location(), opened.reached().at()),
                        now,
                        now.plus(time));
        CrashPoint.reach("restore-test.kept");
        RestoreTestReport.kept(run, kept, test.chosen().plan().document());
    }
}
