package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.health.CounterReadings;
import io.nightshift.infra.health.HealthReport;
import io.nightshift.infra.health.HealthSettings;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.Shared;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.JobType;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "health",
        description = {
            "Checks every node and database of the clusters for what an operator should act on. Reads only.",
            "The limits are those of the cluster's job of type health-check, where there is exactly one.",
            "A critical finding gives exit status 3; otherwise a cluster that does not answer gives 5, and what could not be"
                    + " checked 6. Warnings change nothing."
        })
final class HealthCommand implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(HealthCommand.class);

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final String CLEAR = "\033[H\033[2J";

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--cluster", paramLabel = "C", description = "only this cluster (default: all of them)")
    private @Nullable String cluster;

    @Option(
            names = "--watch",
            paramLabel = "5s",
            description = "look again and again, so long after the last look, until Ctrl-C")
    private @Nullable Duration watch;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "another value for a setting of the job type health-check; may be repeated")
    private Map<String, String> settings = new LinkedHashMap<>();

    /** A cluster, and from where on what is seen there is told. */
    private record Look(ManagedCluster cluster, HealthSettings settings, Supplier<Restorable> restorability) {}

    private record Looked(HealthReport report, Restorable restorability) {}

    /**
     * To which times the cluster can be restored; empty where nothing is backed up.
     *
     * @param lines for people
     * @param json the same as in {@code nightshift backups}
     */
    private record Restorable(List<String> lines, List<Map<String, Object>> json) {}

    @Override
    public Integer call() {
        if (watch != null && watch.compareTo(SHORTEST) < 0) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--watch " + Durations.print(watch) + " is too often",
                    "accepted: 1s or longer");
        }
        Surroundings surroundings = top.surroundings();
        CountDownLatch ended = new CountDownLatch(1);
        Cancellation cancellation = new Cancellation();
        top.onSignal(() -> {
            ended.countDown();
            cancellation.cancel("stopped by a signal, as Ctrl-C sends it");
        });
        Configuration files = surroundings.configuration();
        try (DemoCluster demo = DemoCluster.joinIfPresent(surroundings);
                LedgerAtHand ledger = controlDatabase(surroundings, files)) {
            Configuration configuration = ledger == null ? demo.in(files) : ledger.in(demo.in(files));
            Map<String, ClusterConfig> chosen = chosen(configuration);
            try (DatabaseOrchestrator clusters = new DatabaseOrchestrator(
                    chosen,
                    Passwords.of(surroundings.environment()),
                    new Shared(HeavyWork.ofThisProcess(), readings(surroundings, chosen.keySet())),
                    surroundings.clock())) {
                List<Look> looks = clusters.clusters().stream()
                        .map(one -> new Look(
                                one,
                                settings(configuration, one.name()),
                                () -> restorability(surroundings, configuration, one.name())))
                        .toList();
                return watch == null ? look(looks, cancellation) : watch(looks, cancellation, ended, watch);
            }
        }
    }

    /** Held open where it is to be looked at itself; null otherwise. */
    private @Nullable LedgerAtHand controlDatabase(Surroundings surroundings, Configuration configuration) {
        ClusterConfig itself = configuration.clusters().get(JobType.CONTROL_DATABASE);
        return itself != null
                        && itself.isEmbeddedControlDatabase()
                        && (cluster == null || cluster.equals(itself.name()))
                ? LedgerAtHand.open(surroundings).orElse(null)
                : null;
    }

    /** What the job health-check has kept of earlier looks; what is seen here is kept in memory only. */
    private static CounterReadings readings(Surroundings surroundings, Set<String> clusters) {
        CounterReadings kept = CounterReadings.ofThisProcess();
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            if (ledger != null) {
                clusters.forEach(cluster -> kept.keep(cluster, ledger.readings().of(cluster)));
            }
        } catch (NightshiftException away) {
            LOG.info("{}; counters are judged since the statistics began", away.getMessage());
        }
        return kept;
    }

    private Map<String, ClusterConfig> chosen(Configuration configuration) {
        Map<String, ClusterConfig> all = configuration.clusters();
        if (cluster == null) {
            if (all.isEmpty()) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "no cluster is configured",
                        "describe one in clusters/NAME.yaml, or run nightshift demo first");
            }
            return all;
        }
        ClusterConfig one = all.get(cluster);
        if (one == null) {
            throw ClusterConfig.notConfigured(cluster, all.keySet());
        }
        return Map.of(cluster, one);
    }

    /** Those of the one job that checks this cluster; the defaults where there is none, or several. */
    private HealthSettings settings(Configuration configuration, String name) {
        List<HealthSettings> configured = configuration.jobs().values().stream()
                .filter(job -> job.clusters().contains(name))
                .map(JobConfig::settings)
                .filter(HealthSettings.class::isInstance)
                .map(HealthSettings.class::cast)
                .toList();
        return RecordBinder.withOverrides(
                configured.size() == 1 ? configured.get(0) : HealthSettings.defaults(), settings);
    }

    private int watch(List<Look> looks, Cancellation cancellation, CountDownLatch ended, Duration pause) {
        try {
            int status = look(looks, cancellation);
            while (!ended.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                status = look(looks, cancellation);
            }
            return status;
        } catch (NightshiftException stopped) {
            if (stopped.kind() == FailureKind.CANCELLED) {
                return 0;
            }
            throw stopped;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw NightshiftCommand.stopped();
        }
    }

    /** All clusters at the same time: one that hangs does not keep the others waiting. */
    private int look(List<Look> looks, Cancellation cancellation) {
        ExecutorService threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "health-of-cluster");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<Looked>> looking = new ArrayList<>();
            looks.forEach(one -> looking.add(threads.submit(() -> new Looked(
                    one.cluster().health(one.settings(), "health", cancellation),
                    one.restorability().get()))));
            List<Looked> all = new ArrayList<>();
            for (Future<Looked> each : looking) {
                all.add(each.get());
            }
            print(all);
            return HealthReport.exitStatus(all.stream().map(Looked::report).toList());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw NightshiftCommand.stopped();
        } catch (ExecutionException e) {
            throw NightshiftException.of(e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** As the storages say; those that are away keep nobody from the rest. */
    private static Restorable restorability(Surroundings surroundings, Configuration configuration, String cluster) {
        try {
            BackupList backups = BackupList.of(surroundings, configuration, cluster);
            return new Restorable(backups.restorabilityLines(), backups.restorabilityJson());
        } catch (NightshiftException away) {
            return new Restorable(
                    List.of(RestorabilityText.unknown(cluster, away)),
                    List.of(RestorabilityText.unknownJson(cluster, away)));
        }
    }

    private void print(List<Looked> all) {
        if (top.isJson()) {
            Map<String, List<Map<String, Object>>> document =
                    Map.of("clusters", all.stream().map(HealthCommand::json).toList());
            if (watch == null) {
                top.print(document);
            } else {
                top.printLine(document);
            }
            return;
        }
        if (watch != null && top.isTerminal()) {
            top.out().print(CLEAR);
        }
        boolean first = true;
        for (Looked looked : all) {
            if (!first) {
                top.out().println();
            }
            first = false;
            HealthText.print(top.out(), looked.report());
            looked.restorability().lines().forEach(top.out()::println);
        }
        if (watch != null) {
            top.out().println();
        }
        top.out().flush();
    }

    private static Map<String, Object> json(Looked looked) {
        Map<String, Object> json = HealthJson.of(looked.report());
        json.put("restorability", looked.restorability().json());
        return json;
    }
}
