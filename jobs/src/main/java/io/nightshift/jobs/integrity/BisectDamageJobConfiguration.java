package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import java.time.Clock;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The job {@code bisect-damage} and its step. */
@Configuration(proxyBeanMethods = false)
class BisectDamageJobConfiguration {

    @Bean(BisectDamageJobType.NAME)
    Job bisectDamage(JobRepository repository, Step probeBackups) {
        return new JobBuilder(BisectDamageJobType.NAME, repository)
                .start(probeBackups)
                .build();
    }

    @Bean
    Step probeBackups(
            JobRepository repository,
            RunContext run,
            ClusterStorages storages,
            RestoredCopies copies,
            ChunkBook book,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new ProbeBackupsTasklet(run, storages, copies, book, clock))
                .build();
    }
}
