package io.nightshift.jobs.backup;

import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** The job {@code incremental-backup} and its steps, in running order. */
@Configuration(proxyBeanMethods = false)
@Import(BackupSteps.class)
class IncrementalBackupJobConfiguration {

    @Bean(IncrementalBackupJobType.NAME)
    Job incrementalBackup(
            JobRepository repository,
            Step checkCluster,
            Step streamBaseBackup,
            Step verifyStoredBackup,
            Step publishBackup) {
        return new JobBuilder(IncrementalBackupJobType.NAME, repository)
                .start(checkCluster)
                .next(streamBaseBackup)
                .next(verifyStoredBackup)
                .next(publishBackup)
                .build();
    }
}
