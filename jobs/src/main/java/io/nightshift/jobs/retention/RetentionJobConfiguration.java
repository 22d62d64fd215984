package io.nightshift.jobs.retention;

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

/** The job {@code retention}: one step, which decides anew whenever it is restarted. */
@Configuration(proxyBeanMethods = false)
class RetentionJobConfiguration {

    @Bean(RetentionJobType.NAME)
    Job retention(JobRepository repository, Step expireBackups) {
        return new JobBuilder(RetentionJobType.NAME, repository)
                .start(expireBackups)
                .build();
    }

    @Bean
    Step expireBackups(JobRepository repository, RunContext run, ClusterStorages storages, Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new ExpireBackupsTasklet(run, storages, clock))
                .allowStartIfComplete(true)
                .build();
    }
}
