package io.nightshift.scheduler;

import io.micrometer.core.instrument.MeterRegistry;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.DeadManSettings;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.wal.PushDestinations;
import io.nightshift.scheduler.launch.ActiveRuns;
import io.nightshift.scheduler.launch.Chains;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.launch.ContinuousRuns;
import io.nightshift.scheduler.launch.CopySweep;
import io.nightshift.scheduler.launch.PushedWal;
import io.nightshift.scheduler.launch.QuartzSchedulers;
import io.nightshift.scheduler.launch.Recovery;
import io.nightshift.scheduler.launch.RunWorker;
import io.nightshift.scheduler.launch.ScheduleClock;
import io.nightshift.scheduler.launch.Ticker;
import io.nightshift.scheduler.launch.WorkQueue;
import io.nightshift.scheduler.ledger.DueTimes;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.Turns;
import io.nightshift.scheduler.monitoring.ClusterMetrics;
import io.nightshift.scheduler.monitoring.ClustersHealth;
import io.nightshift.scheduler.monitoring.ControlDatabaseHealth;
import io.nightshift.scheduler.monitoring.RunMetrics;
import io.nightshift.scheduler.monitoring.WatchdogHealth;
import io.nightshift.scheduler.monitoring.WatchdogMetrics;
import io.nightshift.scheduler.watchdog.DeadMan;
import io.nightshift.scheduler.watchdog.Watchdog;
import java.time.Clock;
import java.util.Properties;
import java.util.concurrent.ScheduledExecutorService;
import javax.sql.DataSource;
import org.quartz.Scheduler;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.scheduling.quartz.SchedulerFactoryBean;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** What {@code serve} has besides: the two Quartz schedulers, and the ticker that mends what they lose. */
@org.springframework.context.annotation.Configuration(proxyBeanMethods = false)
class ServeWiring {

    /** Wakes at due times. It polls often enough that a trigger armed in an open transaction is not overlooked. */
    @Bean
    SchedulerFactoryBean clockScheduler(DataSource dataSource, PlatformTransactionManager transactions) {
        return quartz("clock", 2, dataSource, transactions);
    }

    /** Carries runs to a thread. */
    @Bean
    SchedulerFactoryBean workScheduler(
            DataSource dataSource, PlatformTransactionManager transactions, Configuration configuration) {
        return quartz("work", configuration.program().workThreads(), dataSource, transactions);
    }

    @Bean
    WorkQueue workQueue(
            @Qualifier("workScheduler") Scheduler work,
            Turns turns,
            Requests requests,
            ContinuousRuns continuous,
            TransactionTemplate ledgerTransaction) {
        return new WorkQueue(work, turns, requests, continuous, ledgerTransaction);
    }

    @Bean
    ContinuousRuns continuousRuns(
            ConfiguredJobs jobs, Requests requests, Pauses pauses, RunWorker worker, Clock clock) {
        return new ContinuousRuns(jobs, requests, pauses, worker, clock);
    }

    @Bean
    Chains chains(
            DataSource dataSource,
            TransactionTemplate ledgerTransaction,
            Requests requests,
            ConfiguredJobs jobs,
            Pauses pauses,
            Clock clock) {
        return new Chains(dataSource, ledgerTransaction, requests, jobs, pauses, clock);
    }

    @Bean
    DueTimes dueTimes(DataSource dataSource, Requests requests, Pauses pauses) {
        return new DueTimes(dataSource, requests, pauses);
    }

    @Bean
    ScheduleClock scheduleClock(
            ConfiguredJobs jobs,
            DueTimes dueTimes,
            @Qualifier("clockScheduler") Scheduler quartz,
            TransactionTemplate ledgerTransaction,
            Clock clock) {
        return new ScheduleClock(jobs, dueTimes, quartz, ledgerTransaction, clock);
    }

    @Bean
    Ticker ticker(
            ScheduleClock clock,
            WorkQueue queue,
            ContinuousRuns continuous,
            Chains chains,
            Recovery recovery,
            ScheduledExecutorService timers) {
        return new Ticker(clock, queue, continuous, chains, recovery, timers);
    }

    /** Quartz makes its jobs itself; they find these here. */
    @Bean
    QuartzSchedulers quartzSchedulers(
            @Qualifier("clockScheduler") Scheduler clockScheduler,
            @Qualifier("workScheduler") Scheduler workScheduler,
            ScheduleClock clock,
            WorkQueue queue,
            RunWorker worker) {
        return new QuartzSchedulers(clockScheduler, workScheduler, clock, queue, worker);
    }

    /** Apart from the other timers: it notices when those stand still. */
    @Bean(destroyMethod = "shutdownNow")
    ScheduledExecutorService watchTimers() {
        return RunWiring.daemons("watch", 2);
    }

    @Bean
    Watchdog watchdog(
            NightshiftNode node,
            Configuration configuration,
            ConfiguredJobs jobs,
            DataSource dataSource,
            TransactionTemplate ledgerTransaction,
            @Qualifier("clockScheduler") Scheduler clockScheduler,
            @Qualifier("workScheduler") Scheduler workScheduler,
            Clock clock,
            ScheduledExecutorService watchTimers) {
        Watchdog watchdog = new Watchdog(
                node.name(),
                configuration.jobs(),
                jobs,
                dataSource,
                ledgerTransaction,
                clockScheduler,
                workScheduler,
                clock);
        DeadManSettings deadMan = configuration.program().deadMan();
        watchdog.start(watchTimers, deadMan == null ? null : new DeadMan(deadMan));
        return watchdog;
    }

    @Bean
    PushedWal pushedWal(Surroundings surroundings, DatabaseOrchestrator clusters, ClusterStorages storages) {
        return PushedWal.listen(surroundings.home().walPushSocket(), new PushDestinations(clusters, storages));
    }

    @Bean
    CopySweep copySweep(RestoredCopies copies, Clock clock, ScheduledExecutorService timers) {
        CopySweep sweep = new CopySweep(copies, clock);
        sweep.start(timers);
        return sweep;
    }

    @Bean
    WatchdogHealth watchdogHealth(Watchdog watchdog) {
        return new WatchdogHealth(watchdog);
    }

    @Bean
    ClustersHealth clustersHealth(DatabaseOrchestrator clusters) {
        return new ClustersHealth(clusters);
    }

    @Bean
    WatchdogMetrics watchdogMetrics(MeterRegistry meters, Watchdog watchdog) {
        return new WatchdogMetrics(meters, watchdog);
    }

    @Bean
    ClusterMetrics clusterMetrics(MeterRegistry meters, DatabaseOrchestrator clusters) {
        return new ClusterMetrics(meters, clusters);
    }

    @Bean
    ControlDatabaseHealth controlDatabaseHealth(ControlDatabase controlDatabase) {
        return new ControlDatabaseHealth(controlDatabase.connections());
    }

    @Bean
    RunMetrics runMetrics(
            MeterRegistry meters, RunHistory history, ActiveRuns active, ScheduledExecutorService timers) {
        RunMetrics metrics = new RunMetrics(meters, history, active);
        metrics.start(timers);
        return metrics;
    }

    private static SchedulerFactoryBean quartz(
            String name, int threads, DataSource dataSource, PlatformTransactionManager transactions) {
        Properties properties = new Properties();
        properties.setProperty("org.quartz.scheduler.instanceId", "AUTO");
        properties.setProperty("org.quartz.scheduler.idleWaitTime", "5000");
        properties.setProperty("org.quartz.threadPool.threadCount", Integer.toString(threads));
        properties.setProperty("org.quartz.threadPool.threadNamePrefix", name);
        properties.setProperty("org.quartz.threadPool.makeThreadsDaemons", "true");
        properties.setProperty(
                "org.quartz.jobStore.driverDelegateClass", "org.quartz.impl.jdbcjobstore.PostgreSQLDelegate");
        properties.setProperty("org.quartz.jobStore.isClustered", "true");
        properties.setProperty("org.quartz.jobStore.acquireTriggersWithinLock", "true");
        properties.setProperty("org.quartz.jobStore.useProperties", "true");
        SchedulerFactoryBean factory = new SchedulerFactoryBean();
        factory.setSchedulerName(name);
        factory.setQuartzProperties(properties);
        factory.setDataSource(dataSource);
        factory.setTransactionManager(transactions);
        factory.setAutoStartup(false);
        factory.setWaitForJobsToCompleteOnShutdown(false);
        return factory;
    }
}
