package io.nightshift.jobs.proof;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Recovers the copy and opens it. One that does not recover is a finding, and is noted beside the backup. */
final class RecoverCopyTasklet implements Tasklet {

    private final RunContext run;
    private final TestedCopies tested;
    private final Clock clock;

    RecoverCopyTasklet(RunContext run, TestedCopies tested, Clock clock) {
        this.run = run;
        this.tested = tested;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        tested.of(run.id()).filter(test -> !test.isRefused()).ifPresent(this::recover);
        return RepeatStatus.FINISHED;
    }

    private void recover(TestedCopy test) {
        ChosenBackup chosen = test.chosen();
        try {
            test.copy().recover(chosen.binaries(), chosen.plan().replayedBytes(), run.progress(), run.cancellation());
        } catch (NightshiftException failed) {
            // A stopped run ends as such, whatever its server has said to that.
            run.cancellation().check();
            if (failed.kind() != FailureKind.DATA_DAMAGED && failed.kind() != FailureKind.POSTGRES_UNAVAILABLE) {
                throw failed;
            }
            test.refuse("does not recover: " + failed.getMessage());
            return;
        }
        Duration took = Duration.between(test.began(), clock.instant());
        CrashPoint.reach("restore-test.open");
        ReachedPoint reached =
                ReachedPoint.of(test.copy(), chosen.plan().document().endedAt());
        Optional<String> elsewhere = reached.contradiction(chosen.plan());
        if (elsewhere.isPresent()) {
            test.refuse("does not recover to " + chosen.plan().target() + ": " + elsewhere.get());
            return;
        }
        LossWindow loss = LossWindow.between(chosen.archived() == null ? reached : chosen.archived(), chosen.source());
        test.opened(new TestedCopy.Opened(took, reached, loss));
        RestoreTestReport.opened(run, chosen, took, reached, loss);
    }
}
