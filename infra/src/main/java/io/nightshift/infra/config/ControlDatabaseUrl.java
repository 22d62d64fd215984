package io.nightshift.infra.config;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A control database of one's own.
 *
 * @param url {@code jdbc:postgresql://host:port/database}, without username and password
 */
public record ControlDatabaseUrl(String url, String username, Secret password) {

    static final String URL = "NIGHTSHIFT_CONTROL_URL";
    static final String USERNAME = "NIGHTSHIFT_CONTROL_USERNAME";
    static final String PASSWORD = "NIGHTSHIFT_CONTROL_PASSWORD";
    static final List<String> VARIABLES = List.of(URL, USERNAME, PASSWORD);

    /** What the environment says; empty for the embedded one. CONFIGURATION if it says only a part. */
    public static Optional<ControlDatabaseUrl> of(Map<String, String> environment) {
        List<String> missing = VARIABLES.stream()
                .filter(name -> environment.getOrDefault(name, "").isEmpty())
                .toList();
        if (missing.size() == VARIABLES.size()) {
            return Optional.empty();
        }
        if (!missing.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    String.join(", ", missing) + " is not set",
                    "set all of " + String.join(", ", VARIABLES) + ", or none of them");
        }
        return Optional.of(new ControlDatabaseUrl(
                environment.getOrDefault(URL, ""),
                environment.getOrDefault(USERNAME, ""),
                new Secret(environment.getOrDefault(PASSWORD, ""))));
    }
}
