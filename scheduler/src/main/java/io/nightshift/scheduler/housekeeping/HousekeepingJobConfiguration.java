package io.nightshift.scheduler.housekeeping;

import io.nightshift.infra.run.RunContext;
import java.time.Clock;
import javax.sql.DataSource;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.support.TransactionTemplate;

/** The job {@code housekeeping} and its steps, in running order: what depends on runs goes before them. */
@Configuration(proxyBeanMethods = false)
class HousekeepingJobConfiguration {

    @Bean(HousekeepingJobType.NAME)
    Job housekeeping(JobRepository repository, Step deleteLogs, Step deleteSteps, Step deleteRuns) {
        return new JobBuilder(HousekeepingJobType.NAME, repository)
                .start(deleteLogs)
                .next(deleteSteps)
                .next(deleteRuns)
                .build();
    }

    @Bean
    Step deleteLogs(
            JobRepository repository,
            RunContext run,
            DataSource dataSource,
            TransactionTemplate ledgerTransaction,
            Clock clock) {
        return step(repository, run, clock, HousekeepingSettings::keepLogs, new OldLogs(dataSource, ledgerTransaction));
    }

    @Bean
    Step deleteSteps(
            JobRepository repository,
            RunContext run,
            DataSource dataSource,
            TransactionTemplate ledgerTransaction,
            Clock clock) {
        return step(
                repository, run, clock, HousekeepingSettings::keepSteps, new OldSteps(dataSource, ledgerTransaction));
    }

    @Bean
    Step deleteRuns(
            JobRepository repository,
            RunContext run,
            DataSource dataSource,
            TransactionTemplate ledgerTransaction,
            Clock clock) {
        return step(repository, run, clock, HousekeepingSettings::keepRuns, new OldRuns(dataSource, ledgerTransaction));
    }

    private static Step step(
            JobRepository repository, RunContext run, Clock clock, DeleteOldTasklet.Keep keep, OldRows rows) {
        return new StepBuilder(repository)
                .tasklet(new DeleteOldTasklet(run, clock, keep, rows))
                .build();
    }
}
