package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import java.time.Clock;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The steps of all backups. */
@Configuration(proxyBeanMethods = false)
class BackupSteps {

    /** A restart checks again: the cluster may have changed since. */
    @Bean
    Step checkCluster(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            ClusterStorages storages,
            WorkFolder folder,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new CheckClusterTasklet(run, clusters, storages, folder, clock))
                .allowStartIfComplete(true)
                .build();
    }

    /** A restart asks the tasklet, which knows whether what was streamed is still worth something. */
    @Bean
    Step streamBaseBackup(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            ClusterStorages storages,
            WorkFolder folder,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new StreamBaseBackupTasklet(run, clusters, storages, folder, clock))
                .allowStartIfComplete(true)
                .build();
    }

    /** A restart that has streamed anew reads back anew. */
    @Bean
    Step verifyStoredBackup(JobRepository repository, RunContext run, ClusterStorages storages, Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new VerifyStoredBackupTasklet(run, storages, clock))
                .allowStartIfComplete(true)
                .build();
    }

    @Bean
    Step publishBackup(
            JobRepository repository, RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages) {
        return new StepBuilder(repository)
                .tasklet(new PublishBackupTasklet(run, clusters, storages))
                .build();
    }

    /** What a run takes. All backups share their steps, in one context: which one it is says the run. */
    static BackupType type(String jobType) {
        return switch (jobType) {
            case IncrementalBackupJobType.NAME -> BackupType.INCREMENTAL;
            case DifferentialBackupJobType.NAME -> BackupType.DIFFERENTIAL;
            default -> BackupType.FULL;
        };
    }
}
