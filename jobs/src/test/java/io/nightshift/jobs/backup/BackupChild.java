package io.nightshift.jobs.backup;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Another process that takes a backup; the tests limit it, or let it die. */
final class BackupChild {

    private BackupChild() {}

    public static void main(String[] coordinates) throws IOException {
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
        System.out.println(outcome.report().summary());
        outcome.report()
                .figures()
                .forEach(figure -> System.out.println(figure.name() + ": " + figure.value() + " " + figure.unit()));
        try (Stream<String> status = Files.lines(Path.of("/proc/self/status"))) {
            status.filter(line -> line.startsWith("VmHWM")).forEach(System.out::println);
        }
    }
}
