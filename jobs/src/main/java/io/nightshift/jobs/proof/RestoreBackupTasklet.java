package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import java.util.List;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Restores the chosen backup into scratch space. One that is damaged is a finding, and is noted beside the backup. */
final class RestoreBackupTasklet implements Tasklet {

    private static final int WORKERS =
            Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors()));

    private final RunContext run;
    private final TestedCopies tested;
    private final RestoredCopies copies;
    private final Clock clock;

    RestoreBackupTasklet(RunContext run, TestedCopies tested, RestoredCopies copies, Clock clock) {
        this.run = run;
        this.tested = tested;
        this.copies = copies;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        tested.of(run.id()).ifPresent(this::restore);
        return RepeatStatus.FINISHED;
    }

    private void restore(TestedCopy test) {
        ChosenBackup chosen = test.chosen();
        RestoredCopy copy = test.begin(copies, run.id(), clock.instant());
        try {
            RestoreTestReport.restored(
                    run,
                    chosen,
                    copy.restore(
                            chosen.chain(),
                            chosen.plan(),
                            chosen.cluster().wal(),
                            WORKERS,
                            run.progress(),
                            run.cancellation()));
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.DATA_DAMAGED) {
                throw failed;
            }
            requireThere(chosen);
            test.refuse("cannot be restored: " + failed.getMessage());
        }
        CrashPoint.reach("restore-test.restored");
    }

    /** What was deleted meanwhile is not refuted. */
    private static void requireThere(ChosenBackup chosen) {
        List<StoredBackup> there = new BackupCatalog(chosen.cluster().storages())
                .backups(chosen.plan().document().cluster());
        chosen.plan().chain().links().stream()
                .filter(link ->
                        there.stream().noneMatch(backup -> backup.label().equals(link.label())))
                .findFirst()
                .ifPresent(link -> {
                    throw new NightshiftException(
                            FailureKind.REFUSED,
                            "backup " + link.label() + " was deleted while it was restored",
                            "retention had let it expire; the next test chooses another");
                });
    }
}
