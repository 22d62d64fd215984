package io.nightshift.jobs.backup;

import io.nightshift.infra.run.JobType;

/** {@code full-backup}. */
public final class FullBackupJobType implements JobType {

    static final String NAME = "full-backup";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "takes a self-contained backup of the whole cluster, reads it back and compares it with the server's manifest";
    }

    @Override
    public Class<BackupSettings> settings() {
        return BackupSettings.class;
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
    public Class<FullBackupJobConfiguration> configuration() {
        return FullBackupJobConfiguration.class;
    }
}
