package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.FileTree;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One process that takes backups of what has changed, and restores a chain of them, in turn with pg_basebackup and
 * pg_combinebackup of PostgreSQL 18 on the same server. Ours is read back and compared with the manifest before it counts,
 * which theirs is not; so both times are printed. What warms up is not counted.
 *
 * <p>Arguments: rounds, the directory of the tools, {@link TestCluster#coordinates()}.
 */
final class IncrementalContest {

    private static final int LINKS = 6;
    private static final Map<String, Object> FAST = Map.of("checkpoint", "fast");

    private final TestCluster cluster;
    private final String port;
    private final String username;
    private final Path tools;
    private final Path work;
    private int taken;

    private IncrementalContest(Path tools, String[] coordinates) {
        this.cluster = TestCluster.attach(coordinates);
        this.port = coordinates[0];
        this.username = coordinates[1];
        this.tools = tools;
        this.work = cluster.storage("theirs");
    }

    public static void main(String[] arguments) throws Exception {
        new IncrementalContest(Path.of(arguments[1]), Arrays.copyOfRange(arguments, 2, arguments.length))
                .compete(Integer.parseInt(arguments[0]), arguments[4]);
    }

    private void compete(int rounds, String password) throws Exception {
        Files.createDirectories(work);
        take(new FullBackupJobType(), Map.of("checkpoint", "fast"));
        theirs(password, null);
        List<double[]> backups = new ArrayList<>();
        for (int round = 0; round <= LINKS; round++) {
            change(password);
            // Whoever comes first has waited for the summaries of what has changed.
            double theirsFirst = round % 2 == 0 ? Double.NaN : theirs(password, last());
            long ourBytes = -stored();
            double[] ours = take(new IncrementalBackupJobType(), Map.of("backup", FAST));
            ourBytes += stored();
            double theirs = round % 2 == 0 ? theirs(password, last()) : theirsFirst;
            long theirBytes = bytes(last());
            System.out.printf(
                    Locale.ROOT,
                    "incremental %d  nightshift: streamed in %.2f s, with reading back %.2f s, %.1f MB |"
                            + " pg_basebackup --incremental: %.2f s, %.1f MB%n",
                    round,
                    ours[0],
                    ours[1],
                    ourBytes / 1e6,
                    theirs,
                    theirBytes / 1e6);
            if (round > 0) {
                backups.add(new double[] {ours[0], ours[1], theirs, (double) ourBytes / theirBytes});
            }
        }
        System.out.printf(
                Locale.ROOT,
                "FIGURE incremental after 1 %% of pages: streamed %.2f x the time of pg_basebackup (goal 1.00),"
                        + " read back too %.2f x, %.3f x its bytes (goal 1.05)%n",
                median(backups, 0) / median(backups, 2),
                median(backups, 1) / median(backups, 2),
                median(backups, 3));
        List<double[]> restores = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            double ours = restore();
            double theirs = combine();
            System.out.printf(
                    Locale.ROOT,
                    "restore %d  nightshift: %.2f s | untar + pg_combinebackup: %.2f s%n",
                    round,
                    ours,
                    theirs);
            if (round > 0) {
                restores.add(new double[] {ours, theirs});
            }
        }
        System.out.printf(
                Locale.ROOT,
                "FIGURE restore of full + %d: %.2f x untar + pg_combinebackup (goal 0.70)%n",
                LINKS + 1,
                median(restores, 0) / median(restores, 1));
    }

    /** One row in a hundredth of all pages. */
    private void change(String password) throws Exception {
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:postgresql://127.0.0.1:" + port + "/postgres", username, password);
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % 6100 = "
                    + ThreadLocalRandom.current().nextInt(6100));
            statement.execute("CHECKPOINT");
        }
    }

    /** Seconds until the last byte was stored, and until it was read back. */
    private double[] take(JobType type, Map<String, Object> settings) throws Exception {
        settle();
        long begun = System.nanoTime();
        JobReport report = JobRun.of(type, cluster, RecordBinder.fromMap(type.settings(), settings))
                .attempt()
                .completed()
                .report();
        double all = (System.nanoTime() - begun) / 1e9;
        double readBack = figure(report, "read back from local in");
        return new double[] {all - readBack, all};
    }

    private static double figure(JobReport report, String name) {
        return report.figures().stream()
                .filter(figure -> figure.name().equals(name))
                .findFirst()
                .orElseThrow()
                .value()
                .doubleValue();
    }

    private double theirs(String password, @Nullable Path parent) throws Exception {
        Path target = work.resolve("b" + taken++);
        String incremental = parent == null ? "" : " --incremental=" + parent.resolve("backup_manifest");
        return run(
                "PGPASSWORD='" + password + "' " + tools.resolve("pg_basebackup") + " -h 127.0.0.1 -p " + port + " -U "
                        + username + " -D " + target + " -Ft -X fetch -c fast --compress=client-zstd:level=3,workers=2"
                        + incremental);
    }

    private Path last() {
        return work.resolve("b" + (taken - 1));
    }

    private double restore() throws Exception {
        Path target = cluster.storage("restored");
        settle();
        long begun = System.nanoTime();
        List<StoredBackup> all = cluster.backups();
        RestoredBackup.restore(cluster, all.get(all.size() - 1).label(), target, 2);
        double took = (System.nanoTime() - begun) / 1e9;
        FileTree.delete(target);
        return took;
    }

    private double combine() throws Exception {
        Path plain = work.resolve("plain");
        Path out = work.resolve("combined");
        Files.createDirectory(plain);
        String inputs = IntStream.range(0, taken)
                .mapToObj(number -> plain + "/b" + number)
                .collect(Collectors.joining(" "));
        double took = run("for b in $(seq 0 " + (taken - 1) + "); do mkdir -p " + plain + "/b$b && zstd -dc " + work
                + "/b$b/base.tar.zst | tar x -C " + plain + "/b$b && cp " + work + "/b$b/backup_manifest " + plain
                + "/b$b/; done; " + tools.resolve("pg_combinebackup") + " " + inputs + " -o " + out);
        FileTree.delete(plain);
        FileTree.delete(out);
        return took;
    }

    private static double run(String script) throws Exception {
        settle();
        long begun = System.nanoTime();
        Process process = new ProcessBuilder("bash", "-c", "set -eo pipefail; " + script)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(output);
        }
        return (System.nanoTime() - begun) / 1e9;
    }

    private long stored() throws IOException {
        return bytes(cluster.storage("local"));
    }

    private static long bytes(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    private static double median(List<double[]> all, int column) {
        return all.stream().mapToDouble(each -> each[column]).sorted().toArray()[all.size() / 2];
    }

    private static void settle() throws Exception {
        new ProcessBuilder("sync").start().waitFor();
    }
}
