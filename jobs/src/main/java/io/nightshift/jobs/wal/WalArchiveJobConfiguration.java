package io.nightshift.jobs.wal;

import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import java.time.Clock;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The job {@code wal-archive} and its step. */
@Configuration(proxyBeanMethods = false)
class WalArchiveJobConfiguration {

    @Bean(WalArchiveJobType.NAME)
    Job walArchive(JobRepository repository, Step archiveWal) {
        return new JobBuilder(WalArchiveJobType.NAME, repository)
                .start(archiveWal)
                .build();
    }

    @Bean
    Step archiveWal(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            ClusterStorages storages,
            WorkFolder folder,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new ArchiveWalTasklet(run, clusters, storages, folder, clock))
                .build();
    }
}
