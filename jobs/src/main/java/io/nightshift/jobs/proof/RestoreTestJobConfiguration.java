package io.nightshift.jobs.proof;

import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import java.time.Clock;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.builder.JobBuilder;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.Step;
import org.springframework.batch.core.step.builder.StepBuilder;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The job {@code restore-test} and its steps, in running order. A restart does all of them: nothing of a copy is kept. */
@Configuration(proxyBeanMethods = false)
class RestoreTestJobConfiguration {

    @Bean(RestoreTestJobType.NAME)
    Job restoreTest(
            JobRepository repository,
            RunContext run,
            TestedCopies copies,
            Step chooseBackup,
            Step fingerprintSource,
            Step restoreBackup,
            Step recoverCopy,
            Step checkCopy,
            Step writeProof,
            Step keepCopy) {
        return new JobBuilder(RestoreTestJobType.NAME, repository)
                .listener(new DiscardAtTheEnd(run, copies))
                .start(chooseBackup)
                .next(fingerprintSource)
                .next(restoreBackup)
                .next(recoverCopy)
                .next(checkCopy)
                .next(writeProof)
                .next(keepCopy)
                .build();
    }

    @Bean
    TestedCopies testedCopies() {
        return new TestedCopies();
    }

    @Bean
    Step chooseBackup(
            JobRepository repository,
            RunContext run,
            TestedCopies tested,
            DatabaseOrchestrator clusters,
            ClusterStorages storages,
            RestoredCopies copies,
            Clock clock) {
        return step(repository, new ChooseBackupTasklet(run, tested, clusters, storages, copies, clock));
    }

    @Bean
    Step fingerprintSource(
            JobRepository repository,
            RunContext run,
            TestedCopies tested,
            DatabaseOrchestrator clusters,
            ClusterStorages storages) {
        return step(repository, new FingerprintSourceTasklet(run, tested, clusters, storages));
    }

    @Bean
    Step restoreBackup(
            JobRepository repository, RunContext run, TestedCopies tested, RestoredCopies copies, Clock clock) {
        return step(repository, new RestoreBackupTasklet(run, tested, copies, clock));
    }

    @Bean
    Step recoverCopy(JobRepository repository, RunContext run, TestedCopies tested, Clock clock) {
        return step(repository, new RecoverCopyTasklet(run, tested, clock));
    }

    @Bean
    Step checkCopy(JobRepository repository, RunContext run, TestedCopies tested) {
        return step(repository, new CheckCopyTasklet(run, tested));
    }

    @Bean
    Step writeProof(
            JobRepository repository, RunContext run, TestedCopies tested, ClusterStorages storages, Clock clock) {
        return step(repository, new WriteProofTasklet(run, tested, storages, clock));
    }

    @Bean
    Step keepCopy(JobRepository repository, RunContext run, TestedCopies tested, RestoredCopies copies, Clock clock) {
        return step(repository, new KeepCopyTasklet(run, tested, copies, clock));
    }

    private static Step step(JobRepository repository, Tasklet tasklet) {
        return new StepBuilder(repository)
                .tasklet(tasklet)
                .allowStartIfComplete(true)
                .build();
    }
}
