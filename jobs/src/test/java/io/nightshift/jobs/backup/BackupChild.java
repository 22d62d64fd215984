package io.nightshift.jobs.backup;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.JobType;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Another process that takes a backup, an incremental one with {@link #INCREMENTAL}; the tests limit it, or let it die. */
final class BackupChild {

    static final String INCREMENTAL = "-Dbackup.type=" + IncrementalBackupJobType.NAME;

    private BackupChild() {}

    public static void main(String[] coordinates) throws IOException {
        Map<String, Object> quick = Map.of("compression", "zstd:1", "compression-threads", 1, "checkpoint", "fast");
        boolean full = System.getProperty("backup.type", FullBackupJobType.NAME).equals(FullBackupJobType.NAME);
        JobType type = full ? new FullBackupJobType() : new IncrementalBackupJobType();
        var outcome = JobRun.of(
                        type,
                        TestCluster.attach(coordinates),
                        RecordBinder.fromMap(type.settings(), full ? quick : Map.of("backup", quick)))
                .attempt();
        outcome.failure().ifPresent(failure -> {
            System.out.println(failure.explained());
            System.exit(failure.kind().exitStatus());
        });
        System.out.println(outcome.report().summary());
        outcome.report()
                .figures()
                .forEach(figure -> System.out.println(figure.name() + ": " + figure.value() + " " + figure.unit()));
        try (Stream<String> status = Files.lines(Path.of("/proc/self/status"))) {
            status.filter(line -> line.startsWith("VmHWM")).forEach(System.out::println);
        }
    }
}
