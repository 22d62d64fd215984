package io.nightshift.scheduler.housekeeping;

import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Deletes rows until none is old any more; between two batches it may be stopped. */
final class DeleteOldTasklet implements Tasklet {

    /** Which of the settings says how long they are kept. */
    @FunctionalInterface
    interface Keep {
        Duration of(HousekeepingSettings settings);
    }

    private final RunContext run;
    private final Clock clock;
    private final Keep keep;
    private final OldRows rows;

    DeleteOldTasklet(RunContext run, Clock clock, Keep keep, OldRows rows) {
        this.run = run;
        this.clock = clock;
        this.keep = keep;
        this.rows = rows;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        Instant before = clock.instant().minus(keep.of(run.settings(HousekeepingSettings.class)));
        String memory = "deleted " + rows.what();
        long deleted = run.recall(memory).map(Long::parseLong).orElse(0L);
        if (run.dryRun()) {
            deleted = rows.count(before);
        } else {
            run.progress().begin("delete " + rows.what(), rows.count(before), rows.what());
            long some = delete(before);
            while (some > 0) {
                deleted += some;
                run.remember(memory, Long.toString(deleted));
                run.progress().advance(some);
                some = delete(before);
            }
        }
        run.measured(new Figure((run.dryRun() ? "would delete " : "deleted ") + rows.what(), deleted, ""));
        run.summary(String.format(
                Locale.ROOT,
                "%s %,d %s, and older logs and steps",
                run.dryRun() ? "would delete" : "deleted",
                deleted,
                rows.what()));
        return RepeatStatus.FINISHED;
    }

    private long delete(Instant before) {
        run.checkOwnership();
        return rows.deleteSome(before);
    }
}
