package io.nightshift.infra.config;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A configured use of a job type.
 *
 * @param type the name of its job type
 * @param clusters those it names or its labels select, at least one, by name
 * @param timeout a run is stopped after it; null when it may take as long as it takes
 * @param settings an instance of the job type's settings record
 */
public record JobConfig(
        String name,
        String type,
        List<String> clusters,
        Schedule schedule,
        @Nullable Duration timeout,
        Record settings) {}
