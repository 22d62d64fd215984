package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import org.jspecify.annotations.Nullable;

/**
 * What a pause covers.
 *
 * @param job null for every job
 * @param cluster null for every cluster
 */
record PauseScope(@Nullable String job, @Nullable String cluster) {

    /** As typed: a job, a cluster, both, or --all. */
    static PauseScope of(@Nullable String job, @Nullable String cluster, boolean all, Configuration configuration) {
        if (all == (job != null || cluster != null)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    all ? "--all stands beside a job or a cluster" : "neither a job nor a cluster is named",
                    "accepted: JOB [--cluster C], --cluster C, or --all");
        }
        if (job != null && !configuration.jobs().containsKey(job)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "there is no job " + job,
                    "jobs: " + String.join(", ", configuration.jobs().keySet()));
        }
        if (cluster != null && !configuration.clusters().containsKey(cluster)) {
            throw ClusterConfig.notConfigured(cluster, configuration.clusters().keySet());
        }
        return new PauseScope(job, cluster);
    }

    @Override
    public String toString() {
        String jobs = job == null ? "every job" : "job " + job;
        return cluster == null ? jobs : jobs + " on cluster " + cluster;
    }
}
