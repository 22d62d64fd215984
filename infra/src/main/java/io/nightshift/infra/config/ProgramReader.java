package io.nightshift.infra.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads nightshift.yaml, and the control database from the environment. */
final class ProgramReader {

    private static final String URL = ControlDatabaseUrl.URL;
    private static final List<String> NAMES = ControlDatabaseUrl.VARIABLES;
    private static final String JDBC = "jdbc:postgresql://";

    private final Map<String, String> environment;
    private final Problems problems;

    ProgramReader(Map<String, String> environment, Problems problems) {
        this.environment = environment;
        this.problems = problems;
    }

    /** Empty when something is wrong, or the file could not be read. */
    Optional<ProgramSettings> read(Document document) {
        int before = problems.count();
        Optional<ControlDatabaseUrl> control = control();
        Value.Mapping content = document.content();
        if (content == null) {
            return Optional.empty();
        }
        if (content.has("control")) {
            problems.add(content.at("control"), "control", "the environment names the control database: set " + URL);
        }
        Value.Mapping withControl = control.isPresent()
                ? content.with("control", new Value.Known(Origin.ENVIRONMENT, control.get()))
                : content.without("control");
        Optional<ProgramSettings> settings = new RecordBinder(problems).bind(ProgramSettings.class, withControl, "");
        return problems.count() > before ? Optional.empty() : settings;
    }

    private Optional<ControlDatabaseUrl> control() {
        List<String> missing = NAMES.stream().filter(name -> of(name).isEmpty()).toList();
        if (missing.size() == NAMES.size()) {
            return Optional.empty();
        }
        missing.forEach(name -> problems.add(
                Origin.ENVIRONMENT, name, "is not set; set all of " + String.join(", ", NAMES) + ", or none of them"));
        if (!of(URL).isEmpty()) {
            checkUrl(of(URL));
        }
        return missing.isEmpty() ? ControlDatabaseUrl.of(environment) : Optional.empty();
    }

    /** Never quotes the URL: a password may be in it. */
    private void checkUrl(String url) {
        if (!url.startsWith(JDBC)) {
            problems.add(Origin.ENVIRONMENT, URL, "is not accepted; accepted: " + JDBC + "host:port/database");
        } else if (url.contains("@") || url.contains("password=") || url.contains("user=")) {
            problems.add(
                    Origin.ENVIRONMENT,
                    URL,
                    "holds a user or password; set " + ControlDatabaseUrl.USERNAME + " and "
                            + ControlDatabaseUrl.PASSWORD);
        }
    }

    private String of(String name) {
        return environment.getOrDefault(name, "");
    }
}
