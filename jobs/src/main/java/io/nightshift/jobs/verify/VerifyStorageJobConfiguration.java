package io.nightshift.jobs.verify;

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

/** The job {@code verify-storage}: one step, which plans anew whenever it is restarted. */
@Configuration(proxyBeanMethods = false)
class VerifyStorageJobConfiguration {

    @Bean(VerifyStorageJobType.NAME)
    Job verifyStorage(JobRepository repository, Step readBackStorages) {
        return new JobBuilder(VerifyStorageJobType.NAME, repository)
                .start(readBackStorages)
                .build();
    }

    @Bean
    Step readBackStorages(JobRepository repository, RunContext run, ClusterStorages storages, Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new ReadBackStoragesTasklet(run, storages, clock))
                .allowStartIfComplete(true)
                .build();
    }
}
