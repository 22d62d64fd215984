package io.nightshift.jobs.backup;

import com.sun.management.OperatingSystemMXBean;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
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
import java.util.stream.IntStream;

/**
 * One process that restores a full backup and lets zstd and tar extract its archive, in turn, into one file system, each
 * until all is on disk. What warms up is not counted. Ours also compares everything with the manifest, which theirs does
 * not. Where other work disturbs the machine, the median of the rounds' ratios says more than the ratio of the medians.
 *
 * <p>Arguments: the name of the data, rounds, {@link TestCluster#coordinates()}.
 */
final class RestoreContest {

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final int WORKERS = 2;

    /** Seconds on the clock, seconds of CPU. */
    private record Cost(double time, double cpu) {}

    private final TestCluster cluster;
    private final RestorableCluster source;
    private final RestorePlan plan;

    private RestoreContest(String[] coordinates) {
        this.cluster = TestCluster.attach(coordinates);
        this.source = RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), cluster.backups(), null);
        this.plan = source.plan(null, new RestoreTarget.Immediate(), new RestoreTimeline.Latest());
    }

    public static void main(String[] arguments) throws Exception {
        new RestoreContest(Arrays.copyOfRange(arguments, 2, arguments.length))
                .rounds(arguments[0], Integer.parseInt(arguments[1]));
    }

    private void rounds(String data, int rounds) throws Exception {
        nightshift();
        nightshift();
        tar();
        List<Cost> ours = new ArrayList<>();
        List<Cost> theirs = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            ours.add(nightshift());
            theirs.add(tar());
            print(data + " round " + round, ours.get(round - 1), theirs.get(round - 1));
        }
        double[] ratios = IntStream.range(0, rounds)
                .mapToDouble(round -> ours.get(round).time() / theirs.get(round).time())
                .sorted()
                .toArray();
        print(data + " median", median(ours), median(theirs));
        System.out.printf(
                Locale.ROOT,
                "FIGURE restore of %s, %.0f MB: %.2f x tar + zstd (median of rounds %.2f, goal 0.80), %.0f MB/s%n",
                data,
                plan.document().bytes() / 1e6,
                median(ours).time() / median(theirs).time(),
                ratios[ratios.length / 2],
                plan.document().bytes() / 1e6 / median(ours).time());
    }

    private static void print(String what, Cost ours, Cost theirs) {
        System.out.printf(
                Locale.ROOT,
                "%s  nightshift: %.2f s (cpu %.2f) | zstd -dc | tar x; sync -f: %.2f s (cpu %.2f)%n",
                what,
                ours.time(),
                ours.cpu(),
                theirs.time(),
                theirs.cpu());
    }

    private Cost nightshift() throws Exception {
        Path target = cluster.storage("restored");
        settle();
        long begun = System.nanoTime();
        long cpu = SYSTEM.getProcessCpuTime();
        new Restore(
                        source.chain(plan),
                        plan,
                        RestorePlan.Action.PROMOTE,
                        source.wal(),
                        new Restore.Destination(target, Map.of(), false, false))
                .run(WORKERS, new Progress(), new Cancellation());
        Cost cost = new Cost((System.nanoTime() - begun) / 1e9, (SYSTEM.getProcessCpuTime() - cpu) / 1e9);
        FileTree.delete(target);
        return cost;
    }

    private Cost tar() throws Exception {
        Path target = cluster.storage("extracted");
        Path archive = cluster.storage("local")
                .resolve(plan.backup().paths().object(plan.document().label(), "base.tar.zst"));
        Files.createDirectory(target);
        settle();
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        "set -o pipefail; TIMEFORMAT='%R %U %S'; time { zstd -dc \"$0\" | tar x -C \"$1\" && sync -f \"$1\"; }",
                        archive.toString(),
                        target.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("zstd and tar: " + output);
        }
        List<String> lines = output.strip().lines().toList();
        FileTree.delete(target);
        try (var times = new Scanner(lines.get(lines.size() - 1)).useLocale(Locale.ROOT)) {
            return new Cost(times.nextDouble(), times.nextDouble() + times.nextDouble());
        }
    }

    /** What the one before left to be written is not the other's to pay. */
    private static void settle() throws Exception {
        new ProcessBuilder("sync").start().waitFor();
    }

    private static Cost median(List<Cost> costs) {
        return new Cost(median(costs, Cost::time), median(costs, Cost::cpu));
    }

    private static double median(List<Cost> costs, ToDoubleFunction<Cost> of) {
        double[] sorted = costs.stream().mapToDouble(of).sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
