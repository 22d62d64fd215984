package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Lineage;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.StorageSet;
import java.util.List;
import java.util.Optional;
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
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;

    PublishBackupTasklet(RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages) {
        this.run = run;
        this.clusters = clusters;
        this.storages = storages;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        BackupDocument document = WrittenBackup.recall(run);
        requireSameCluster(document);
        requireWholeChain(document);
        NewBackup.publish(storages.forWriting(run.cluster()), document, run::checkOwnership);
        BackupReport.published(run, document);
        compare(document);
        return RepeatStatus.FINISHED;
    }

    /**
     * A backup of a primary that others have left behind is not what a restore needs. A cluster that is away now says
     * nothing against the backup.
     */
    private void requireSameCluster(BackupDocument document) {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        cluster.requireNoConflict();
        Lineage lineage = cluster.known().lineage();
        if (lineage != null && !lineage.system().equals(document.systemIdentifier())) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "backup " + document.label() + " is of system " + document.systemIdentifier() + ", and cluster "
                            + run.cluster() + " is system " + lineage.system() + " by now",
                    "run the job again");
        }
        if (lineage != null && lineage.newest().compareTo(document.timeline()) > 0) {
            run.report(new Finding(
                    "backup/left-timeline",
                    Severity.WARNING,
                    "backup " + document.label(),
                    "was taken on timeline " + document.timeline() + ", and the cluster is on timeline "
                            + lineage.newest() + " by now",
                    "take another backup: WAL of the new timeline leads on from this one only if the promotion came"
                            + " after its end"));
        }
    }

    /** What it builds on may have been deleted since it was chosen, or found damaged; then nobody can restore it. */
    private void requireWholeChain(BackupDocument document) {
        StorageSet own = storages.forWriting(run.cluster());
        List<StoredBackup> backups = new BackupCatalog(storages.forReading(run.cluster())).backups(run.cluster());
        Optional<String> broken = ParentChoice.brokenParent(document, backups);
        if (broken.isPresent()) {
            run.checkOwnership();
            WrittenBackup.forget(run);
            NewBackup.discard(own, document.paths(), document.label());
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "backup " + document.label() + " builds on " + document.parent() + ", which " + broken.get(),
                    "nobody has seen the new backup and it is given up; run the job again");
        }
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
