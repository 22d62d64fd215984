package io.nightshift.jobs.health;

import io.nightshift.infra.health.HealthSettings;
import io.nightshift.infra.run.JobType;

/** {@code health-check}. */
public final class HealthCheckJobType implements JobType {

    static final String NAME = "health-check";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "checks every node and database of a cluster for what an operator should act on";
    }

    @Override
    public Class<HealthSettings> settings() {
        return HealthSettings.class;
    }

    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "says which nodes answer and which checks it would do";
    }

    @Override
    public Class<HealthCheckJobConfiguration> configuration() {
        return HealthCheckJobConfiguration.class;
    }
}
