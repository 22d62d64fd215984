package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.ManyBackups;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.scheduler.Home;
import io.nightshift.scheduler.Installation;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * How long commands take, and how much memory, on a storage with the backups and the WAL of years. No test, and not run by
 * the build: {@code .ci/bench/retention} starts it. Each command has a process of its own.
 */
class RetentionBench {

    private static final int BACKUPS = Integer.getInteger("bench.backups", 2_000);
    private static final int SEGMENTS = Integer.getInteger("bench.segments", 100_000);
    private static final int CHAIN = Integer.getInteger("bench.chain", 24);

    /** What this says of a command is its figure. */
    static final class OneCommand {

        private OneCommand() {}

        public static void main(String[] arguments) throws Exception {
            PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
            PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
            long begun = System.nanoTime();
            int status = CommandLineOfNightshift.run(arguments, nowhere, err, Map.of());
            double seconds = (System.nanoTime() - begun) / 1e9;
            long heap = ManagementFactory.getMemoryPoolMXBeans().stream()
                    .filter(pool -> pool.getType() == MemoryType.HEAP)
                    .map(MemoryPoolMXBean::getPeakUsage)
                    .mapToLong(peak -> peak.getUsed())
                    .sum();
            String resident = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .findFirst()
                    .orElseThrow();
            double cpu = ProcessHandle.current()
                            .info()
                            .totalCpuDuration()
                            .orElseThrow()
                            .toMillis()
                    / 1e3;
            System.out.printf(
                    Locale.ROOT,
                    "FIGURE %-32s %6.2f s, %6.2f s of CPU, heap %3d MB at most, resident %3d MB, exit status %d%n",
                    String.join(" ", Arrays.asList(arguments).subList(4, arguments.length)),
                    seconds,
                    cpu,
                    heap >> 20,
                    Long.parseLong(resident) >> 10,
                    status);
            System.exit(0);
        }
    }

    @Test
    void commands_on_the_backups_of_years() throws Exception {
        try (Installation installation = Installation.embedded()) {
            installation
                    .write("clusters/" + Backups.PATHS.cluster() + ".yaml", """
                            nodes: ["127.0.0.1:1"]
                            username: nobody
                            storages: {local: required}
                            """)
                    .write("jobs/expiry.yaml", """
                            type: retention
                            cluster: chanuka
                            settings: {window: 14d, fulls: 2, daily: 14, weekly: 8, monthly: 12}
                            """);
            Path storage = installation.home().resolve("storage");
            new ManyBackups(
                            storage,
                            Instant.now().truncatedTo(ChronoUnit.SECONDS).minusSeconds(3_600),
                            BACKUPS,
                            SEGMENTS,
                            CHAIN)
                    .plant();
            io.nightshift.infra.storage.Installation.claim(
                    new DirectoryStorage("local", storage),
                    new Home(installation.home()).installation(),
                    Clock.systemUTC());
            System.out.printf(
                    Locale.ROOT, "FIGURE %,d backups in chains of %d, %,d segments of WAL%n", BACKUPS, CHAIN, SEGMENTS);
            measure(installation, "history");
            measure(installation, "backups");
            measure(installation, "backups", "--output", "json");
            measure(installation, "catalog", "rebuild");
            measure(installation, "catalog", "rebuild", "--output", "json");
            measure(installation, "run", "expiry", "--dry-run");
            measure(installation, "report");
        }
    }

    private static void measure(Installation installation, String... command) throws Exception {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx300m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=" + System.getProperty("bench.tier", "1"),
                "-Duser.timezone=UTC",
                "-cp",
                System.getProperty("java.class.path"),
                OneCommand.class.getName(),
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString()));
        words.addAll(List.of(command));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines()
                    .filter(line -> line.startsWith("FIGURE") || line.startsWith("nightshift:"))
                    .forEach(System.out::println);
        }
        assertThat(process.waitFor()).isZero();
    }
}
