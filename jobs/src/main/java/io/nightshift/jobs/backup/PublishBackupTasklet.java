package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Makes the verified backup exist. */
final class PublishBackupTasklet implements Tasklet {

    private static final Logger LOG = LoggerFactory.getLogger(PublishBackupTasklet.class);

    private final RunContext run;
    private final ClusterStorages storages;

    PublishBackupTasklet(RunContext run, ClusterStorages storages) {
        this.run = run;
        this.storages = storages;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        BackupDocument document = WrittenBackup.recall(run);
        NewBackup.publish(storages.forWriting(run.cluster()), document, run::checkOwnership);
        BackupReport.published(run, document);
        compare(document);
        return RepeatStatus.FINISHED;
    }

    /** The backup exists: a storage that cannot be listed now takes nothing from it. */
    private void compare(BackupDocument document) {
        try {
            BackupReport.compared(run, document, PastBackups.of(storages.forReading(run.cluster()), document));
        } catch (NightshiftException away) {
            LOG.info("backup {} not compared with earlier ones: {}", document.label(), away.getMessage());
        }
    }
}
