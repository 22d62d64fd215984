package io.nightshift.jobs;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.config.Rules;
import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.workload.StatementBook;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.LoggerFactory;
import org.springframework.batch.core.BatchStatus;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.job.JobExecutionException;
import org.springframework.batch.core.job.JobInstance;
import org.springframework.batch.core.job.parameters.JobParameters;
import org.springframework.batch.core.job.parameters.JobParametersBuilder;
import org.springframework.batch.core.listener.StepExecutionListener;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.AbstractStep;
import org.springframework.batch.core.step.StepExecution;
import org.springframework.batch.infrastructure.item.ExecutionContext;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * A run of a job type on a {@link TestCluster}, as the scheduler would make it but without its database: each attempt has
 * a new application context, as in a new process, and finds what the attempts before it remembered.
 */
public final class JobRun {

    /**
     * What became of an attempt.
     *
     * @param steps those that were executed, in order
     */
    public record Outcome(
            BatchStatus status, List<String> steps, Optional<NightshiftException> failure, JobReport report) {

        /** Without those about the way servers of tests are set up, such as without fsync. */
        public List<Finding> findings() {
            return report.findings().stream()
                    .filter(finding -> !finding.key().startsWith("backup/source/"))
                    .toList();
        }

        public NightshiftException failed() {
            return failure.orElseThrow(() -> new AssertionError("the attempt has not failed: " + this));
        }

        /** This, if the attempt has completed. */
        public Outcome completed() {
            if (status != BatchStatus.COMPLETED) {
                throw new AssertionError("the attempt has not completed: " + this, failure.orElse(null));
            }
            return this;
        }
    }

    static {
        // Steps that fail are what tests ask for; the failure is in the outcome.
        ((Logger) LoggerFactory.getLogger(AbstractStep.class)).setLevel(Level.OFF);
    }

    private final JobType type;
    private final TestCluster cluster;
    private final RestartableJobRepository repository = new RestartableJobRepository();
    private final Map<String, Runnable> before = new HashMap<>();
    private RememberedRun present;
    private ChunkBook book = ChunkBook.ofThisProcess();
    private Rules rules = Rules.NONE;
    private SchemaBook schemas = SchemaBook.ofThisProcess();
    private IndexHistory indexes = IndexHistory.ofThisProcess();
    private StatementBook statements = StatementBook.ofThisProcess();
    private Clock clock = Clock.systemUTC();
    private boolean attempted;

    private JobRun(JobType type, TestCluster cluster, RememberedRun first) {
        this.type = type;
        this.cluster = cluster;
        this.present = first;
    }

    public static JobRun of(JobType type, TestCluster cluster, Record settings) {
        return new JobRun(type, cluster, RememberedRun.first(type.name(), TestCluster.NAME, settings, false));
    }

    public static JobRun dry(JobType type, TestCluster cluster, Record settings) {
        return new JobRun(type, cluster, RememberedRun.first(type.name(), TestCluster.NAME, settings, true));
    }

    /** Does something each time before a step begins. */
    public JobRun before(String step, Runnable act) {
        before.put(step, act);
        return this;
    }

    /** Keeps its chunks where another process finds them, or where other runs have left what they covered. */
    public JobRun keepingChunks(ChunkBook other) {
        book = other;
        return this;
    }

    /** With rules of the cluster. */
    public JobRun withRules(Rules configured) {
        rules = configured;
        return this;
    }

    /** Keeps the schemas that it sees where other runs find them. */
    public JobRun keepingSchemas(SchemaBook other) {
        schemas = other;
        return this;
    }

    /** Keeps what indexes are used for where other runs find it, on another night perhaps. */
    public JobRun keepingIndexes(IndexHistory other, Clock night) {
        indexes = other;
        clock = night;
        return this;
    }

    /** Keeps what statements cost where other runs find it. */
    public JobRun keepingStatements(StatementBook other) {
        statements = other;
        return this;
    }

    /** At another time. */
    public JobRun at(Clock other) {
        clock = other;
        return this;
    }

    /** Executes the job, or restarts it where the last attempt failed, to its end. */
    public Outcome attempt() {
        prepare();
        return execute(present);
    }

    /** The same on another thread. */
    public CompletableFuture<Outcome> begin() {
        prepare();
        RememberedRun attempt = present;
        return CompletableFuture.supplyAsync(() -> execute(attempt), task -> new Thread(task, "job-run").start());
    }

    /** How far the present attempt has come. */
    public Progress.Snapshot progress() {
        return present.progress().snapshot();
    }

    /** Asks the present attempt to stop. */
    public void cancel(String why) {
        present.cancellation().cancel(why);
    }

    /** Ends the day of the present attempt: what never ends by nature comes to its end in order. */
    public void endDay() {
        present.endDay();
    }

    /** What the present attempt has said so far. */
    public JobReport report() {
        return present.report();
    }

    public RunContext context() {
        return present;
    }

    /** What the run has asked for, as {@code job type: reason}. */
    public List<String> requests() {
        return present.requests();
    }

    private void prepare() {
        if (attempted) {
            present = present.next();
        }
        attempted = true;
    }

    private Outcome execute(RememberedRun attempt) {
        try (var context = new AnnotationConfigApplicationContext()) {
            context.registerBean(JobRepository.class, () -> repository);
            context.registerBean(RunContext.class, () -> attempt);
            context.registerBean(DatabaseOrchestrator.class, cluster::orchestrator);
            context.registerBean(ClusterStorages.class, cluster::clusterStorages);
            context.registerBean(WorkFolder.class, cluster::workFolder);
            context.registerBean(RestoredCopies.class, cluster::restoredCopies);
            context.registerBean(ChunkBook.class, () -> book);
            context.registerBean(Rules.class, () -> rules);
            context.registerBean(SchemaBook.class, () -> schemas);
            context.registerBean(IndexHistory.class, () -> indexes);
            context.registerBean(StatementBook.class, () -> statements);
            context.registerBean(Clock.class, () -> clock);
            context.registerBean(StepHooks.class, () -> new StepHooks(before));
            context.register(type.configuration());
            context.refresh();
            Job job = context.getBean(type.name(), Job.class);
            JobParameters parameters = new JobParametersBuilder()
                    .addLong("run", attempt.id().number())
                    .toJobParameters();
            JobInstance instance = repository.getJobInstance(job.getName(), parameters);
            if (instance == null) {
                instance = repository.createJobInstance(job.getName(), parameters);
            }
            JobExecution execution = repository.createJobExecution(instance, parameters, new ExecutionContext());
            job.execute(execution);
            return outcome(execution, attempt);
        } catch (JobExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Outcome outcome(JobExecution execution, RememberedRun attempt) {
        return new Outcome(
                execution.getStatus(),
                execution.getStepExecutions().stream()
                        .map(StepExecution::getStepName)
                        .toList(),
                execution.getAllFailureExceptions().stream()
                        .map(NightshiftException::of)
                        .findFirst(),
                attempt.report());
    }

    /** Ties the hooks to the steps, so that no job configuration has to. */
    private record StepHooks(Map<String, Runnable> before) implements BeanPostProcessor, StepExecutionListener {

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (bean instanceof AbstractStep step) {
                step.registerStepExecutionListener(this);
            }
            return bean;
        }

        @Override
        public void beforeStep(StepExecution step) {
            before.getOrDefault(step.getStepName(), () -> {}).run();
        }
    }
}
