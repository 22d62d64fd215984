package io.nightshift.jobs.proof;

import io.nightshift.infra.run.JobType;

/** {@code restore-test}. */
public final class RestoreTestJobType implements JobType {

    static final String NAME = "restore-test";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "restores a backup into scratch space, checks what is there, and measures how long it took and what is lost";
    }

    @Override
    public Class<RestoreTestSettings> settings() {
        return RestoreTestSettings.class;
    }

    /** It works on this machine and in the storages; of the cluster it asks one question. */
    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public String dryRun() {
        return "says which backup it would restore, and whether there is room and a server for it";
    }

    @Override
    public Class<RestoreTestJobConfiguration> configuration() {
        return RestoreTestJobConfiguration.class;
    }
}
