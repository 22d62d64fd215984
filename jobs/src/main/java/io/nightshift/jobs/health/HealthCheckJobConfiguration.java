package io.nightshift.jobs.health;

import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
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

/** The job {@code health-check} and its steps, in running order. */
@Configuration(proxyBeanMethods = false)
class HealthCheckJobConfiguration {

    @Bean(HealthCheckJobType.NAME)
    Job healthCheck(JobRepository repository, Step checkHealth, Step checkProof) {
        return new JobBuilder(HealthCheckJobType.NAME, repository)
                .start(checkHealth)
                .next(checkProof)
                .build();
    }

    @Bean
    Step checkHealth(JobRepository repository, RunContext run, DatabaseOrchestrator clusters) {
        return new StepBuilder(repository)
                .tasklet(new CheckHealthTasklet(run, clusters))
                .build();
    }

    @Bean
    Step checkProof(JobRepository repository, RunContext run, ClusterStorages storages, Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new CheckProofTasklet(run, storages, clock))
                .build();
    }
}
