package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.jobs.integrity.rule.RuleCheckup;
import io.nightshift.jobs.integrity.rule.RuleProposal;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "rules",
        description = "Checks the rules of a cluster against its schema, and proposes a first file of them.",
        synopsisSubcommandLabel = "(check | propose)")
final class RulesCommand implements Runnable {

    private static final int WRONG = 2;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before a command runs
    private NightshiftCommand top;

    @Override
    public void run() {
        throw new NightshiftException(
                FailureKind.CONFIGURATION,
                "rules needs a command",
                "nightshift rules check CLUSTER, or nightshift rules propose CLUSTER");
    }

    /** What is done with the clusters, and their configuration. */
    private interface Work<T> {
        T on(DatabaseOrchestrator clusters, Configuration configuration, Cancellation cancellation);
    }

    private <T> T with(String cluster, Work<T> work) {
        Surroundings surroundings = top.surroundings();
        var cancellation = new Cancellation();
        top.onSignal(() -> cancellation.cancel("stopped by a signal, as Ctrl-C sends it"));
        Configuration files = surroundings.configuration();
        try (DemoCluster demo = DemoCluster.joinIfPresent(surroundings)) {
            Configuration configuration = demo.in(files);
            if (!configuration.clusters().containsKey(cluster)) {
                throw ClusterConfig.notConfigured(
                        cluster, configuration.clusters().keySet());
            }
            try (DatabaseOrchestrator clusters = new DatabaseOrchestrator(
                    configuration.clusters(), Passwords.of(surroundings.environment()), surroundings.clock())) {
                return work.on(clusters, configuration, cancellation);
            }
        }
    }

    @Command(
            name = "check",
            description =
                    "Holds every rule of the cluster against the live schema, and lists every problem. Asks none.")
    int check(@Parameters(paramLabel = "CLUSTER", description = "its name, as in clusters/") String cluster) {
        RuleCheckup checkup = with(
                cluster,
                (clusters, configuration, cancellation) ->
                        RuleCheckup.of(clusters, configuration.rules(), cluster, cancellation));
        if (top.isJson()) {
            top.print(Map.of(
                    "cluster",
                    cluster,
                    "rules",
                    checkup.rows().stream().map(Json::toMap).toList()));
        } else {
            checkup.rows()
                    .forEach(row -> row.problems()
                            .forEach(problem -> top.out()
                                    .println("rules/" + row.file() + ".yaml  " + row.rule() + ": " + problem)));
            int count = checkup.rows().size();
            top.out()
                    .println(
                            count == 0
                                    ? "cluster " + cluster + " has no rules"
                                    : (count - checkup.wrong()) + " of " + count + " rules of cluster " + cluster
                                            + " can be asked");
        }
        return checkup.wrong() == 0 ? 0 : WRONG;
    }

    @Command(
            name = "propose",
            description = {
                "Prints a first file of rules for a database, from its schema and its statistics; changes nothing.",
                "Each rule is so now, and says why it is proposed. No value of a column that looks personal is printed."
            })
    int propose(
            @Parameters(paramLabel = "CLUSTER", description = "its name, as in clusters/") String cluster,
            @Option(
                            names = "--database",
                            paramLabel = "D",
                            description = "whose tables (default: the one that the cluster has)")
                    @Nullable
                    String database) {
        List<String> lines = with(cluster, (clusters, configuration, cancellation) -> {
            ManagedCluster managed = clusters.cluster(cluster);
            String chosen = database == null ? onlyDatabase(managed) : database;
            return RuleProposal.lines(
                    managed.direct(Intent.PRIMARY, chosen, "rules propose"), cluster, chosen, cancellation);
        });
        if (top.isJson()) {
            top.print(Map.of("cluster", cluster, "lines", lines));
        } else {
            lines.forEach(top.out()::println);
        }
        return 0;
    }

    /** Of several somebody has to choose. */
    private static String onlyDatabase(ManagedCluster cluster) {
        List<String> databases = cluster
                .read(Intent.PRIMARY, cluster.config().database(), "rules propose", session -> {
                    try (var statement = session.createStatement();
                            var row = statement.executeQuery("SELECT datname FROM pg_database WHERE datallowconn"
                                    + " AND NOT datistemplate AND datname <> 'postgres' ORDER BY 1")) {
                        var names = new ArrayList<String>();
                        while (row.next()) {
                            names.add(row.getString(1));
                        }
                        return names;
                    }
                })
                .stream()
                .filter(cluster.config().databases()::includes)
                .toList();
        if (databases.size() == 1) {
            return databases.get(0);
        }
        throw new NightshiftException(
                FailureKind.CONFIGURATION,
                "cluster " + cluster.name() + " has " + databases.size() + " databases besides postgres",
                "choose one with --database: " + (databases.isEmpty() ? "postgres" : String.join(", ", databases)));
    }
}
