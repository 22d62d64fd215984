package io.nightshift.scheduler.ledger;

import io.nightshift.infra.run.RunId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Somebody wants a job to run now.
 *
 * @param settings the effective settings of the job type, as its record's components
 * @param causedBy the run that this one follows or was asked for by; null for none
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
        RunTerms terms,
        @Nullable RunId causedBy,
        @Nullable String node) {

    /** The same, for this process to work and nobody else; null for whoever serves. */
    public LaunchRequest onNode(@Nullable String name) {
        return new LaunchRequest(job, jobType, cluster, cause, actor, settings, dryRun, terms, causedBy, name);
    }
}
