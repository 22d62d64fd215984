package io.nightshift.infra.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What reading the configuration gave.
 *
 * @param configuration null when there is any problem
 * @param problems by file and line
 * @param warnings unwise but accepted, such as a password in plain text; by file and line
 * @param view what could be read, with secrets masked
 */
public record ConfigurationResult(
        @Nullable Configuration configuration, List<Problem> problems, List<Problem> warnings, ConfigurationView view) {

    /**
     * The configuration.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException CONFIGURATION with every problem of every file
     */
    public Configuration orThrow() {
        if (configuration == null) {
            throw Problem.failure(problems);
        }
        return configuration;
    }
}
