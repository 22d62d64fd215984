package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ConfigurationResult;
import io.nightshift.infra.config.ConfigurationView;
import io.nightshift.infra.config.SettingsDescription;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobType;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "config",
        description = "Checks and shows the configuration.",
        synopsisSubcommandLabel = "(check | show)")
final class ConfigCommand implements Runnable {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before a command runs
    private NightshiftCommand top;

    @Override
    public void run() {
        throw new NightshiftException(
                FailureKind.CONFIGURATION,
                "config needs a command",
                "nightshift config check, or nightshift config show");
    }

    @Command(name = "check", description = "Reads every file and lists every problem.")
    int check() {
        Surroundings surroundings = top.surroundings();
        ConfigurationResult result = surroundings.read();
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("problems", result.problems().stream().map(Json::toMap).toList());
            document.put("warnings", result.warnings().stream().map(Json::toMap).toList());
            top.print(document);
            return result.problems().isEmpty() ? 0 : 2;
        }
        result.orThrow();
        result.warnings().forEach(warning -> top.out().println("warning: " + warning.toString()));
        top.out().println("configuration in " + surroundings.configDirectory() + " is valid");
        return 0;
    }

    @Command(
            name = "show",
            description = "Shows the effective configuration with secrets masked, or the settings of a job type.")
    int show(
            @Option(
                            names = "--job-type",
                            paramLabel = "T",
                            description = "every setting of this job type, with its default and what it changes")
                    @Nullable
                    String jobType) {
        Surroundings surroundings = top.surroundings();
        if (jobType != null) {
            settings(surroundings.jobTypes().get(jobType));
            return 0;
        }
        ConfigurationResult result = surroundings.read();
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>(places(surroundings));
            document.putAll(result.view().toMap());
            top.print(document);
        } else {
            places(surroundings).forEach((place, path) -> top.out().println(place + ": " + path));
            result.view().entries().forEach(this::entry);
        }
        return result.problems().isEmpty() ? 0 : 2;
    }

    private static Map<String, String> places(Surroundings surroundings) {
        Map<String, String> places = new LinkedHashMap<>();
        places.put("home", surroundings.home().path().toString());
        places.put("config", surroundings.configDirectory().toString());
        places.put("servers", surroundings.home().servers().toString());
        return places;
    }

    private void entry(ConfigurationView.Entry entry) {
        top.out().println();
        top.out().println(entry.name() + "  (" + String.join(", ", entry.sources()) + ")");
        lines(entry.values(), "  ");
    }

    private void lines(Map<?, ?> values, String indent) {
        values.forEach((key, value) -> {
            if (value instanceof Map<?, ?> inner && !inner.isEmpty()) {
                top.out().println(indent + key + ":");
                lines(inner, indent + "  ");
            } else {
                top.out().println(indent + key + ": " + value);
            }
        });
    }

    private void settings(JobType type) {
        List<SettingsDescription.Row> rows =
                SettingsDescription.of(type.settings()).rows();
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("type", type.name());
            document.put("summary", type.summary());
            document.put("settings", rows.stream().map(Json::toMap).toList());
            top.print(document);
            return;
        }
        top.out().println(type.name() + ": " + type.summary());
        top.out().println("dry run: " + type.dryRun());
        top.out().println();
        TextTable table = new TextTable("setting", "type", "default", "what it changes");
        rows.forEach(row -> table.row(row.key(), row.type(), row.standard(), row.description()));
        table.print(top.out());
    }
}
