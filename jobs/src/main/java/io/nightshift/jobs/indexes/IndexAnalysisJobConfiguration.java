package io.nightshift.jobs.indexes;

import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.workload.StatementBook;
import java.time.Clock;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The job {@code index-analysis} and its steps, in running order. */
@Configuration(proxyBeanMethods = false)
class IndexAnalysisJobConfiguration {

    @Bean(IndexAnalysisJobType.NAME)
    Job indexAnalysis(
            JobRepository repository,
            Step snapshotIndexes,
            Step snapshotStatements,
            Step judgeIndexes,
            Step adviseFromPlans) {
        return new JobBuilder(IndexAnalysisJobType.NAME, repository)
                .start(snapshotIndexes)
                .next(snapshotStatements)
                .next(judgeIndexes)
                .next(adviseFromPlans)
                .build();
    }

    @Bean
    Step snapshotIndexes(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            IndexHistory history,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new SnapshotIndexesTasklet(run, clusters, history, clock))
                .build();
    }

    @Bean
    Step snapshotStatements(
            JobRepository repository, RunContext run, DatabaseOrchestrator clusters, StatementBook book, Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new SnapshotStatementsTasklet(run, clusters, book, clock))
                .build();
    }

    @Bean
    Step judgeIndexes(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            IndexHistory history,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new JudgeIndexesTasklet(run, clusters, history, clock))
                .build();
    }

    @Bean
    Step adviseFromPlans(
            JobRepository repository, RunContext run, DatabaseOrchestrator clusters, StatementBook book, Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new AdviseFromPlansTasklet(run, clusters, book, clock))
                .build();
    }
}
