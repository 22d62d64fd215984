package io.nightshift.scheduler;

import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.chunk.StoredChunks;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.Rules;
import io.nightshift.infra.health.StoredReadings;
import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.index.StoredIndexHistory;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.Shared;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.infra.schema.StoredSchemas;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.TimedStorage;
import io.nightshift.infra.workload.StatementBook;
import io.nightshift.infra.workload.StoredStatements;
import io.nightshift.scheduler.history.RunLogKeeper;
import io.nightshift.scheduler.history.RunLogs;
import io.nightshift.scheduler.launch.ActiveRuns;
import io.nightshift.scheduler.launch.BatchJobs;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.launch.Pulse;
import io.nightshift.scheduler.launch.Recovery;
import io.nightshift.scheduler.launch.RunBinding;
import io.nightshift.scheduler.launch.RunBooks;
import io.nightshift.scheduler.launch.RunClaims;
import io.nightshift.scheduler.launch.RunWorker;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.NodeLocks;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.Turns;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import javax.sql.DataSource;
import org.springframework.batch.core.configuration.annotation.JobScope;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.launch.JobOperator;
import org.springframework.batch.core.repository.ExecutionContextSerializer;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.repository.dao.JacksonExecutionContextStringSerializer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** What works a run, in the order in which a run meets it. */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
class RunWiring {

    // the control database and what is written there

    @Bean
    TransactionTemplate ledgerTransaction(PlatformTransactionManager transactions) {
        return new TransactionTemplate(transactions);
    }

    @Bean
    Ledger ledger(DataSource dataSource, TransactionTemplate ledgerTransaction) {
        return new Ledger(dataSource, ledgerTransaction);
    }

    @Bean
    Requests requests(DataSource dataSource) {
        return new Requests(dataSource);
    }

    @Bean
    RunHistory history(DataSource dataSource) {
        return new RunHistory(dataSource);
    }

    @Bean
    Pauses pauses(DataSource dataSource) {
        return new Pauses(dataSource);
    }

    @Bean
    Leases leases(DataSource dataSource) {
        return new Leases(dataSource);
    }

    @Bean
    Nodes nodes(DataSource dataSource, NodeLocks locks) {
        return new Nodes(dataSource, locks);
    }

    // from a queued run to its outcome

    @Bean
    ConfiguredJobs configuredJobs(Configuration configuration, Surroundings surroundings) {
        return new ConfiguredJobs(configuration, surroundings.jobTypes());
    }

    @Bean
    RunClaims claims(Leases leases, Nodes nodes, NightshiftNode node) {
        return new RunClaims(leases, nodes, node.name());
    }

    @Bean
    RunBooks books(Ledger ledger, RunHistory history, Requests requests, ConfiguredJobs jobs, Clock clock) {
        return new RunBooks(ledger, history, requests, jobs, clock);
    }

    @Bean
    Turns turns(DataSource dataSource, ConfiguredJobs jobs, Clock clock) {
        return new Turns(dataSource, jobs, clock);
    }

    @Bean
    ActiveRuns activeRuns() {
        return new ActiveRuns();
    }

    @Bean
    BatchJobs batchJobs(Map<String, Job> jobs, JobOperator operator, JobRepository repository) {
        return new BatchJobs(jobs, operator, repository);
    }

    @Bean
    RunWorker worker(
            RunClaims claims,
            RunBooks books,
            Turns turns,
            BatchJobs jobs,
            ActiveRuns active,
            ExecutorService runThreads,
            ScheduledExecutorService timeLimits,
            Configuration configuration) {
        return new RunWorker(
                claims,
                books,
                turns,
                jobs,
                active,
                runThreads,
                timeLimits,
                configuration.program().stopWithin());
    }

    @Bean
    Recovery recovery(DataSource dataSource, RunClaims claims, Nodes nodes, RunWorker worker) {
        return new Recovery(dataSource, claims, nodes, worker);
    }

    /** A run has a thread of its own. What works is never interrupted: that would close files and connections. */
    @Bean(destroyMethod = "shutdown")
    ExecutorService runThreads() {
        return Executors.newCachedThreadPool(daemonsNamed("run"));
    }

    /** Apart from the other timers, which may wait for a control database that is away. */
    @Bean(destroyMethod = "shutdownNow")
    ScheduledExecutorService timeLimits() {
        return daemons("time-limit", 1);
    }

    @Bean(destroyMethod = "shutdownNow")
    ScheduledExecutorService timers() {
        return daemons("timer", 4);
    }

    static ScheduledExecutorService daemons(String name, int threads) {
        return Executors.newScheduledThreadPool(threads, daemonsNamed(name));
    }

    static ThreadFactory daemonsNamed(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    @Bean
    Pulse pulse(
            NightshiftNode node,
            @Value("${nightshift.serves}") boolean serves,
            Nodes nodes,
            Ledger ledger,
            ActiveRuns active,
            ScheduledExecutorService timers) {
        Pulse pulse = new Pulse(node, serves, nodes, ledger, active);
        pulse.start(timers);
        return pulse;
    }

    @Bean(destroyMethod = "close")
    RunLogKeeper runLogs(
            ControlDatabase controlDatabase, Configuration configuration, ScheduledExecutorService timers) {
        RunLogKeeper keeper = new RunLogKeeper(new RunLogs(controlDatabase.connections()), configuration);
        keeper.start(timers);
        return keeper;
    }

    // what steps see

    @Bean
    static RunBinding runBinding(
            ObjectProvider<ActiveRuns> active,
            ObjectProvider<Ledger> ledger,
            @Qualifier("timeLimits") ObjectProvider<ScheduledExecutorService> timeLimits) {
        return new RunBinding(active, ledger, timeLimits::getObject);
    }

    @Bean
    @JobScope
    RunContext runContext(@Value("#{jobParameters['run']}") Long run, ActiveRuns active) {
        return active.context(run);
    }

    @Bean
    ExecutionContextSerializer executionContextSerializer() {
        return new JacksonExecutionContextStringSerializer();
    }

    @Bean
    Clock clock(Surroundings surroundings) {
        return surroundings.clock();
    }

    @Bean(destroyMethod = "close")
    DatabaseOrchestrator orchestrator(
            Configuration configuration,
            Surroundings surroundings,
            ControlDatabase controlDatabase,
            Leases leases,
            Nodes nodes) {
        return new DatabaseOrchestrator(
                configuration.clusters(),
                Passwords.of(surroundings.environment()),
                new Shared(HeavyWork.leased(leases, nodes::isDead), new StoredReadings(controlDatabase.connections())),
                surroundings.clock());
    }

    @Bean
    Rules rules(Configuration configuration) {
        return configuration.rules();
    }

    @Bean
    ChunkBook chunkBook(ControlDatabase controlDatabase) {
        return new StoredChunks(controlDatabase.connections());
    }

    @Bean
    StatementBook statementBook(ControlDatabase controlDatabase) {
        return new StoredStatements(controlDatabase.connections());
    }

    @Bean
    SchemaBook schemaBook(ControlDatabase controlDatabase) {
        return new StoredSchemas(controlDatabase.connections());
    }

    @Bean
    IndexHistory indexHistory(ControlDatabase controlDatabase) {
        return new StoredIndexHistory(controlDatabase.connections());
    }

    @Bean
    ClusterStorages storages(Configuration configuration, Surroundings surroundings) {
        return new ClusterStorages(
                configuration.clusters(),
                configuration.storages(),
                surroundings.home().installation(),
                surroundings.home().knownStorages(),
                surroundings.clock(),
                TimedStorage::new);
    }

    @Bean
    WorkFolder workFolder(Surroundings surroundings) {
        return new WorkFolder(surroundings.home().work());
    }

    @Bean
    RestoredCopies restoredCopies(Surroundings surroundings) {
        return surroundings.home().restoredCopies();
    }
}
