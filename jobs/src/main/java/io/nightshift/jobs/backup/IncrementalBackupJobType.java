package io.nightshift.jobs.backup;

import io.nightshift.infra.run.JobType;

/** {@code incremental-backup}. */
public final class IncrementalBackupJobType implements JobType {

    static final String NAME = "incremental-backup";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "backs up what has changed since the newest backup, or takes a full one where none fits, and reads it back";
    }

    @Override
    public Class<ChainedBackupSettings> settings() {
        return ChainedBackupSettings.class;
    }

    @Override
    public boolean heavy() {
        return true;
    }

    @Override
    public String dryRun() {
        return "checks the cluster and the storages, and reads and writes nothing else";
    }

    @Override
    public Class<IncrementalBackupJobConfiguration> configuration() {
        return IncrementalBackupJobConfiguration.class;
    }
}
