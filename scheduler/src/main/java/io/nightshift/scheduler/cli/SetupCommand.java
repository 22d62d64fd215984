package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.jobs.backup.ClusterSetup;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "setup",
        description = "Prints the role, grants, pg_hba lines and settings that a cluster needs. Changes nothing.")
final class SetupCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "CLUSTER", description = "its name, as in clusters/")
    private String cluster = "";

    @Option(names = "--print", description = "print what is needed; nothing else is there")
    private boolean print;

    @Override
    public Integer call() {
        Map<String, ClusterConfig> clusters = top.surroundings().configuration().clusters();
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
        print(new ClusterSetup(config.username(), config.database(), encrypted));
        return 0;
    }

    private void print(ClusterSetup setup) {
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("cluster", cluster);
            document.put("sql", setup.sql());
            document.put("hba", setup.hba());
            document.put("settings", setup.settings());
            top.print(document);
            return;
        }
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
