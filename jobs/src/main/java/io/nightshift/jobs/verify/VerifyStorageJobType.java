package io.nightshift.jobs.verify;

import io.nightshift.infra.run.JobType;

/** {@code verify-storage}. */
public final class VerifyStorageJobType implements JobType {

    static final String NAME = "verify-storage";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "reads backups and WAL back from the storages, a part in each run, and repairs what another storage has whole";
    }

    @Override
    public Class<VerifyStorageSettings> settings() {
        return VerifyStorageSettings.class;
    }

    /** It works in the storages alone. */
    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "says what it would read, and how much was read in time";
    }

    @Override
    public Class<VerifyStorageJobConfiguration> configuration() {
        return VerifyStorageJobConfiguration.class;
    }
}
