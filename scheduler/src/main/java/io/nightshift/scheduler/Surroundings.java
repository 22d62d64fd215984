package io.nightshift.scheduler;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.ConfigurationFiles;
import io.nightshift.infra.config.ConfigurationResult;
import io.nightshift.scheduler.launch.JobTypes;
import io.nightshift.scheduler.schedule.Schedules;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a process finds where it starts: home, configuration folder, environment, the time. */
public record Surroundings(
        Home home,
        Path configDirectory,
        @Nullable String profile,
        Map<String, String> environment,
        JobTypes jobTypes,
        Clock clock) {

    /** Reads the whole configuration, with every problem of every file. */
    public ConfigurationResult read() {
        return new ConfigurationFiles(configDirectory, home.path(), profile, environment)
                .check(jobTypes.all(), Schedules.RULES, DemoCluster.known(home));
    }

    /** The configuration; one failure that lists every problem otherwise. */
    public Configuration configuration() {
        return read().orThrow();
    }
}
