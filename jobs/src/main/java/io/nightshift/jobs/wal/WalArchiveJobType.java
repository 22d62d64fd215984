package io.nightshift.jobs.wal;

import io.nightshift.infra.run.JobType;

/** {@code wal-archive}. */
public final class WalArchiveJobType implements JobType {

    static final String NAME = "wal-archive";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "streams the WAL of a cluster into its storages all day, so that it can be restored to any moment";
    }

    @Override
    public Class<WalArchiveSettings> settings() {
        return WalArchiveSettings.class;
    }

    @Override
    public boolean heavy() {
        return false;
    }

    @Override
    public boolean isEndless() {
        return true;
    }

    @Override
    public String dryRun() {
        return "says where the archive would go on, and makes no slot and stores nothing";
    }

    @Override
    public Class<WalArchiveJobConfiguration> configuration() {
        return WalArchiveJobConfiguration.class;
    }
}
