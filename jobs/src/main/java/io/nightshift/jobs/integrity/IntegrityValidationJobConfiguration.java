package io.nightshift.jobs.integrity;

import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.jobs.integrity.rule.CheckRulesConfiguration;
import java.time.Clock;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.PartitionStepBuilder;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * The job {@code integrity-validation} and its steps, in running order. A restart does again what has to do with chunks: it
 * chooses a server anew, and finds in the book which chunks are finished there.
 */
@Configuration(proxyBeanMethods = false)
@Import(CheckRulesConfiguration.class)
class IntegrityValidationJobConfiguration {

    @Bean(IntegrityValidationJobType.NAME)
    Job integrityValidation(
            JobRepository repository,
            RunContext run,
            Judgements judgements,
            Step judgeCatalogs,
            Step compareSchemas,
            Step checkRules,
            Step planChunks,
            Step checkChunks,
            Step reportChunks,
            Step checkNodes) {
        return new JobBuilder(IntegrityValidationJobType.NAME, repository)
                .listener(new ReleaseAtTheEnd(run, judgements))
                .start(judgeCatalogs)
                .next(compareSchemas)
                .next(checkRules)
                .next(planChunks)
                .next(checkChunks)
                .next(reportChunks)
                .next(checkNodes)
                .build();
    }

    @Bean
    Judgements judgements() {
        return new Judgements();
    }

    @Bean
    Step judgeCatalogs(JobRepository repository, RunContext run, DatabaseOrchestrator clusters) {
        return new StepBuilder(repository)
                .tasklet(new JudgeCatalogsTasklet(run, clusters))
                .build();
    }

    @Bean
    Step compareSchemas(
            JobRepository repository,
            RunContext run,
            DatabaseOrchestrator clusters,
            RestoredCopies copies,
            SchemaBook book,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new CompareSchemasTasklet(run, clusters, copies, book, clock))
                .build();
    }

    @Bean
    Step planChunks(
            JobRepository repository,
            RunContext run,
            Judgements judgements,
            DatabaseOrchestrator clusters,
            RestoredCopies copies,
            ChunkBook book,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new PlanChunksTasklet(run, judgements, clusters, copies, book, clock))
                .allowStartIfComplete(true)
                .build();
    }

    /** The step of the partitions is no bean: its listeners are those of this one, which begins and ends once. */
    @Bean
    Step checkChunks(JobRepository repository, RunContext run, Judgements judgements, ChunkBook book) {
        Step partition = new StepBuilder("checkChunksOfPartition", repository)
                .tasklet(new CheckChunksTasklet(run, judgements, book))
                .allowStartIfComplete(true)
                .build();
        return new PartitionStepBuilder(new StepBuilder(repository).allowStartIfComplete(true))
                .splitter(new ChunkPartitions(repository))
                .partitionHandler(new PartitionedCheck(run, judgements, book, partition))
                .build();
    }

    @Bean
    Step reportChunks(
            JobRepository repository,
            RunContext run,
            Judgements judgements,
            DatabaseOrchestrator clusters,
            ChunkBook book,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new ReportChunksTasklet(run, judgements, clusters, book, clock))
                .allowStartIfComplete(true)
                .build();
    }

    @Bean
    Step checkNodes(
            JobRepository repository,
            RunContext run,
            Judgements judgements,
            DatabaseOrchestrator clusters,
            ChunkBook book,
            Clock clock) {
        return new StepBuilder(repository)
                .tasklet(new CheckNodesTasklet(run, judgements, clusters, book, clock))
                .allowStartIfComplete(true)
                .build();
    }
}
