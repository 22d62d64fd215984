package io.nightshift.jobs.backup;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.Map;

/** Another process that takes a backup; the tests limit it, or let it die. */
final class BackupChild {

    private BackupChild() {}

    public static void main(String[] coordinates) {
        var outcome = JobRun.of(
                        new FullBackupJobType(),
                        TestCluster.attach(coordinates),
                        RecordBinder.fromMap(
                                BackupSettings.class,
                                Map.of("compression", "zstd:1", "compression-threads", 1, "checkpoint", "fast")))
                .attempt();
        outcome.failure().ifPresent(failure -> {
            System.out.println(failure.explained());
            System.exit(failure.kind().exitStatus());
        });
    }
}
