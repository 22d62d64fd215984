package io.nightshift.jobs.backup;

import com.sun.management.OperatingSystemMXBean;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.server.FileTree;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Scanner;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * One process that takes full backups and lets pg_basebackup and pg_verifybackup take and check others, in turn, and
 * prints what each cost. What warms up is not counted. Where other work disturbs
 * the machine, the median of the rounds' ratios says more than the ratio of the medians.
 *
 * <p>Arguments: the name of the data, the directory of PostgreSQL's tools, rounds, {@link TestCluster#coordinates()}.
 */
final class BackupContest {

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** Of one round: seconds on the clock, seconds of CPU of the client, bytes stored. */
    private record Cost(double stream, double streamCpu, double whole, double wholeCpu, long stored) {}

    private final String data;
    private final Path tools;
    private final TestCluster cluster;
    private final String[] coordinates;
    private long rawBytes;
    private String waits = "";

    private BackupContest(String data, Path tools, String[] coordinates) {
        this.data = data;
        this.tools = tools;
        this.coordinates = coordinates;
        this.cluster = TestCluster.attach(coordinates);
    }

    public static void main(String[] arguments) throws Exception {
        new BackupContest(arguments[0], Path.of(arguments[1]), Arrays.copyOfRange(arguments, 3, arguments.length))
                .rounds(Integer.parseInt(arguments[2]));
    }

    private void rounds(int rounds) throws Exception {
        nightshift();
        nightshift();
        postgres();
        List<Cost> ours = new ArrayList<>();
        List<Cost> theirs = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            ours.add(nightshift());
            theirs.add(postgres());
            print("round " + round, ours.get(round - 1), theirs.get(round - 1));
            System.out.println(data + " round " + round + "  nightshift waited for " + waits);
        }
        print("median", median(ours), median(theirs));
        Cost typical = median(ours);
        System.out.printf(
                Locale.ROOT,
                "FIGURE full backup of %s, %.0f MB: stream %.2f x pg_basebackup (median of rounds %.2f, goal 1.00), %.0f MB/s;"
                        + " whole job %.2f x pg_basebackup + pg_verifybackup (median of rounds %.2f, goal 1.00);"
                        + " stored %.3f x; %s%n",
                data,
                rawBytes / 1e6,
                typical.stream / median(theirs).stream,
                ratio(ours, theirs, Cost::stream),
                rawBytes / 1e6 / typical.stream,
                typical.whole / median(theirs).whole,
                ratio(ours, theirs, Cost::whole),
                (double) typical.stored / median(theirs).stored,
                residentPeak());
    }

    private static double ratio(List<Cost> ours, List<Cost> theirs, ToDoubleFunction<Cost> of) {
        double[] sorted = IntStream.range(0, ours.size())
                .mapToDouble(round -> of.applyAsDouble(ours.get(round)) / of.applyAsDouble(theirs.get(round)))
                .sorted()
                .toArray();
        return sorted[sorted.length / 2];
    }

    private void print(String what, Cost ours, Cost theirs) {
        System.out.printf(
                Locale.ROOT,
                "%s %-8s nightshift: stream %.2f s (cpu %.2f), whole %.2f s (cpu %.2f), %.1f MB, ratio %.2f"
                        + " | pg_basebackup: %.2f s (cpu %.2f), with pg_verifybackup %.2f s (cpu %.2f), %.1f MB%n",
                data,
                what,
                ours.stream,
                ours.streamCpu,
                ours.whole,
                ours.wholeCpu,
                ours.stored / 1e6,
                (double) rawBytes / ours.stored,
                theirs.stream,
                theirs.streamCpu,
                theirs.whole,
                theirs.wholeCpu,
                theirs.stored / 1e6);
    }

    /** The real job, by its steps. */
    private Cost nightshift() throws Exception {
        settle();
        var settings = RecordBinder.fromMap(BackupSettings.class, Map.of("checkpoint", "fast"));
        List<double[]> marks = new ArrayList<>();
        JobRun run = JobRun.of(new FullBackupJobType(), cluster, settings);
        for (String step : List.of("streamBaseBackup", "verifyStoredBackup", "publishBackup")) {
            run.before(step, () -> marks.add(now()));
        }
        var figures = run.attempt().completed().report().figures();
        marks.add(now());
        waits = figures.stream()
                .filter(figure -> figure.name().startsWith("waited"))
                .map(figure -> figure.name().replace("waited for ", "") + " " + figure.value() + " s")
                .collect(Collectors.joining(", "));
        var document = cluster.backups().get(0).document().orElseThrow();
        rawBytes = document.bytes();
        FileTree.delete(cluster.storage("local").resolve(TestCluster.NAME));
        return new Cost(
                marks.get(1)[0] - marks.get(0)[0],
                marks.get(1)[1] - marks.get(0)[1],
                marks.get(3)[0] - marks.get(0)[0],
                marks.get(3)[1] - marks.get(0)[1],
                document.storedBytes());
    }

    private Cost postgres() throws Exception {
        settle();
        Path target = cluster.storage("pg_basebackup");
        double[] backup = timed(tools.resolve("pg_basebackup") + " -h 127.0.0.1 -p " + coordinates[0] + " -U "
                + coordinates[1] + " -D " + target + " -Ft --compress=client-zstd:level=3,workers=2 -c fast");
        double[] verify = timed(tools.resolve("pg_verifybackup") + " -n -q " + target);
        long stored;
        try (Stream<Path> files = Files.list(target)) {
            stored = files.mapToLong(file -> file.toFile().length()).sum();
        }
        FileTree.delete(target);
        return new Cost(backup[0], backup[1], backup[0] + verify[0], backup[1] + verify[1], stored);
    }

    /** What the one before left to be written is not the other's to pay. */
    private static void settle() throws Exception {
        new ProcessBuilder("sync").start().waitFor();
    }

    private double[] timed(String command) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder("bash", "-c", "TIMEFORMAT='%R %U %S'; time " + command).redirectErrorStream(true);
        builder.environment().put("PGPASSWORD", coordinates[2]);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(command + ": " + output);
        }
        List<String> lines = output.strip().lines().toList();
        try (var times = new Scanner(lines.get(lines.size() - 1)).useLocale(Locale.ROOT)) {
            return new double[] {times.nextDouble(), times.nextDouble() + times.nextDouble()};
        }
    }

    private static double[] now() {
        return new double[] {System.nanoTime() / 1e9, SYSTEM.getProcessCpuTime() / 1e9};
    }

    private static Cost median(List<Cost> costs) {
        return new Cost(
                median(costs, Cost::stream),
                median(costs, Cost::streamCpu),
                median(costs, Cost::whole),
                median(costs, Cost::wholeCpu),
                (long) median(costs, Cost::stored));
    }

    private static double median(List<Cost> costs, ToDoubleFunction<Cost> of) {
        double[] sorted = costs.stream().mapToDouble(of).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static String residentPeak() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmHWM"))
                    .findFirst()
                    .orElse("")
                    .replaceAll("\\s+", " ");
        }
    }
}
