package io.nightshift.scheduler.housekeeping;

import io.nightshift.infra.run.JobType;

/** {@code housekeeping}. */
public final class HousekeepingJobType implements JobType {

    static final String NAME = "housekeeping";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "deletes old runs, logs and steps from the control database, and keeps what the months were like";
    }

    @Override
    public Class<HousekeepingSettings> settings() {
        return HousekeepingSettings.class;
    }

    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public boolean onClusters() {
        return false;
    }

    @Override
    public String dryRun() {
        return "counts what it would delete, and deletes nothing";
    }

    @Override
    public Class<HousekeepingJobConfiguration> configuration() {
        return HousekeepingJobConfiguration.class;
    }
}
