package io.nightshift.jobs.proof;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
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
        CheckResult result = new CopyChecks(
                        test.copy(),
                        settings.assertions(),
                        new CheckTime(settings.checkLimit()),
                        run.progress(),
                        run.cancellation())
                .run();
        Fingerprint fingerprint = test.fingerprint();
        test.checked(
                fingerprint == null || settings.digestLimit() == null
                        ? result
                        : compared(test, fingerprint, settings.digestLimit(), result));
        CrashPoint.reach("restore-test.checked");
    }

    private CheckResult compared(TestedCopy test, Fingerprint fingerprint, Duration limit, CheckResult result) {
        Fingerprint.Point point = fingerprint.at();
        Lsn reached = Objects.requireNonNull(test.opened()).reached().location();
        if (point != null && !reached.equals(point.location())) {
            return result.with(
                    0,
                    true,
                    List.of(),
                    List.of(new NotEvaluated(
                            "rows, compared with the source",
                            "the standby was read at " + point.location() + ", and recovery ended at " + reached,
                            List.of(RestoreTestReport.KEY + "rows/"))));
        }
        run.progress().begin("compare with the source", null, "");
        CheckResult all =
                new RowComparison(test.copy(), fingerprint, new CheckTime(limit), run.cancellation()).addTo(result);
        return all.with(all.compared(), fingerprint.reachedAll(), List.of(), fingerprint.gaps());
    }
}
