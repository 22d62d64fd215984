package io.nightshift.infra.config;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A configured use of a job type.
 *
 * @param type the name of its job type
 * @param clusters those it names or its labels select, at least one, by name
 * @param running how its runs are carried out
 * @param settings an instance of the job type's settings record
 */
public record JobConfig(
        String name,
        String type,
        List<String> clusters,
        Schedule schedule,
        Missed missed,
        Expectation expectation,
        Running running,
        Record settings) {

    /**
     * How runs of a job are carried out.
     *
     * @param timeout a run is stopped after it; null when it may take as long as it takes
     * @param stepTimeout the same for each step
     * @param priority 1 to 10: of two waiting runs the higher one begins first
     * @param exclusive groups; of all jobs that share one, one runs at a time
     */
    public record Running(
            @Nullable Duration timeout,
            @Nullable Duration stepTimeout,
            Retry retry,
            int priority,
            List<String> exclusive) {}
}
