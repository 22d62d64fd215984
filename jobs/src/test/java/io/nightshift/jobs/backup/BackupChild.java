package io.nightshift.jobs.backup;

import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;

/** Another process that takes a backup; the tests limit it, or let it die. */
final class BackupChild {

    private BackupChild() {}

    public static void main(String[] coordinates) {
        var outcome = JobRun.of(
                        new FullBackupJobType(),
                        TestCluster.attach(coordinates),
                        new BackupSettings("zstd:1", 1, Checkpoint.FAST))
                .attempt();
        outcome.failure().ifPresent(failure -> {
            System.out.println(failure.explained());
            System.exit(failure.kind().exitStatus());
        });
    }
}
