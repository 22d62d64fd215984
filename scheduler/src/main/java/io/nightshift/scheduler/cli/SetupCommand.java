package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.jobs.backup.ClusterSetup;
import io.nightshift.jobs.backup.SetupComparison;
import io.nightshift.scheduler.Surroundings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "setup",
        description = {
            "Prints the role, grants, pg_hba lines, settings and sizes that a cluster needs. Changes nothing.",
            "Where the configured role gets in, says what is right already, what is missing and what needs a restart."
        })
final class SetupCommand implements Callable<Integer> {

    private static final int NOT_EVALUATED = 6;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "CLUSTER", description = "its name, as in clusters/")
    private String cluster = "";

    @Option(names = "--print", description = "print what is needed; nothing else is there")
    private boolean print;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        Configuration configuration = surroundings.configuration();
        Map<String, ClusterConfig> clusters = configuration.clusters();
        ClusterConfig config = clusters.get(cluster);
        if (config == null) {
            throw ClusterConfig.notConfigured(cluster, clusters.keySet());
        }
        if (!print) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "setup changes nothing by itself",
                    "add --print to see what cluster " + cluster + " needs");
        }
        boolean encrypted = config.sslmode() != SslMode.DISABLE
                && config.sslmode() != SslMode.ALLOW
                && config.sslmode() != SslMode.PREFER;
        ClusterSetup setup = new ClusterSetup(config.username(), config.database(), encrypted);
        SetupComparison comparison = null;
        NightshiftException notCompared = null;
        try {
            comparison = compare(surroundings, configuration);
        } catch (NightshiftException unreachable) {
            notCompared = unreachable;
        }
        if (top.isJson()) {
            printJson(setup, comparison, notCompared);
        } else {
            print(setup);
            if (comparison != null) {
                SetupText.print(top.out(), comparison);
            } else {
                top.err()
                        .println("nightshift: not compared with the server: "
                                + Objects.requireNonNull(notCompared).explained());
            }
        }
        return comparison == null || comparison.isPartial() ? NOT_EVALUATED : 0;
    }

    private SetupComparison compare(Surroundings surroundings, Configuration configuration) {
        try (DatabaseOrchestrator clusters = new DatabaseOrchestrator(
                configuration.clusters(), Passwords.of(surroundings.environment()), surroundings.clock())) {
            return SetupComparison.of(
                    clusters.cluster(cluster),
                    BackupList.storagesOf(surroundings, configuration, cluster),
                    surroundings.clock());
        }
    }

    private void printJson(
            ClusterSetup setup, @Nullable SetupComparison comparison, @Nullable NightshiftException notCompared) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("cluster", cluster);
        document.put("sql", setup.sql());
        document.put("hba", setup.hba());
        document.put("settings", setup.settings());
        document.put("comparison", comparison);
        document.put("notCompared", notCompared == null ? null : notCompared.explained());
        top.print(document);
    }

    private void print(ClusterSetup setup) {
        top.out().println("-- as a superuser, in database " + setup.database());
        setup.sql().forEach(statement -> top.out().println(statement + ";"));
        top.out().println("-- then choose its password, in psql: \\password " + setup.role());
        top.out().println();
        top.out()
                .println(
                        "# pg_hba.conf, on each node, then reload; ADDRESS is that of the machine that runs Nightshift");
        setup.hba().forEach(line -> top.out().println(line));
        top.out().println();
        TextTable settings = new TextTable("setting", "value", "needs", "why");
        setup.settings()
                .forEach(
                        setting -> settings.row(setting.name(), setting.value(), setting.takesEffect(), setting.why()));
        settings.print(top.out());
    }
}
