package io.nightshift.scheduler.ledger;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Somebody wants a job to run now.
 *
 * @param settings the effective settings of the job type, as its record's components
 * @param timeLimit null for none
 * @param node the process that will work the run itself; null leaves it to any node that serves
 */
public record LaunchRequest(
        String job,
        String jobType,
        String cluster,
        Cause cause,
        String actor,
        Map<String, Object> settings,
        boolean dryRun,
        @Nullable Duration timeLimit,
        @Nullable String node) {

    /** The same, for this process to work and nobody else. */
    public LaunchRequest onNode(String name) {
        return new LaunchRequest(job, jobType, cluster, cause, actor, settings, dryRun, timeLimit, name);
    }
}
