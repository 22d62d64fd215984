package io.nightshift.jobs.retention;

import io.nightshift.infra.run.JobType;

/** {@code retention}. */
public final class RetentionJobType implements JobType {

    static final String NAME = "retention";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "deletes backups and WAL that no rule keeps, and says of each why it is kept or goes";
    }

    @Override
    public Class<RetentionSettings> settings() {
        return RetentionSettings.class;
    }

    /** It works in the storages alone. */
    @Override
    public boolean heavy() {
        return false;
    }

    /** What one keeps, another would delete. */
    @Override
    public boolean isOnlyOne() {
        return true;
    }

    @Override
    public String dryRun() {
        return "says what it would delete, and what will expire in the next 7 days";
    }

    @Override
    public Class<RetentionJobConfiguration> configuration() {
        return RetentionJobConfiguration.class;
    }
}
