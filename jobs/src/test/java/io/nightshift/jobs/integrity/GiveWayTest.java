package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.server.Effort;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** An application that changes rows and locks its table whole, beside checks of the same table. */
class GiveWayTest {

    private static final Duration BETWEEN = Duration.ofMillis(100);

    /** How long each statement took, milliseconds; for as long as it goes on. */
    private record Waits(List<Double> millis, AtomicBoolean over, CompletableFuture<Void> thread) {

        static Waits of(TestCluster cluster, String... statements) {
            List<Double> millis = new ArrayList<>();
            var over = new AtomicBoolean();
            return new Waits(
                    millis,
                    over,
                    CompletableFuture.runAsync(
                            () -> {
                                try (Connection connection = cluster.postgres().connect("postgres");
                                        Statement statement = connection.createStatement()) {
                                    while (!over.get()) {
                                        long begun = System.nanoTime();
                                        for (String each : statements) {
                                            statement.execute(each);
                                        }
                                        millis.add((System.nanoTime() - begun) / 1e6);
                                        LockSupport.parkNanos(BETWEEN.toNanos());
                                    }
                                } catch (SQLException e) {
                                    throw new IllegalStateException(e);
                                }
                            },
                            task -> new Thread(task, "application").start()));
        }

        List<Double> end() {
            over.set(true);
            thread.join();
            return millis.stream().sorted().toList();
        }
    }

    private static String figure(List<Double> sorted) {
        return "p50 %.1f ms, p99 %.1f ms, longest %.1f ms of %d"
                .formatted(
                        sorted.get(sorted.size() / 2),
                        sorted.get(Math.min(sorted.size() - 1, sorted.size() * 99 / 100)),
                        sorted.get(sorted.size() - 1),
                        sorted.size());
    }

    @Test
    void an_application_that_locks_its_table_goes_on_and_so_do_the_checks() {
        try (TestCluster cluster = TestCluster.start(18, Map.of("autovacuum", "off"))) {
            cluster.postgres()
                    .execute(
                            "postgres",
                            "CREATE EXTENSION amcheck",
                            "CREATE TABLE crowded (id int PRIMARY KEY, twin int NOT NULL REFERENCES crowded, filler text)",
                            "INSERT INTO crowded SELECT i, i, repeat('x', 100) FROM generate_series(1, "
                                    + Effort.of(20_000, 1_000_000) + ") i");
            String[] locks = {"BEGIN", "LOCK TABLE crowded IN ACCESS EXCLUSIVE MODE", "COMMIT"};
            String[] changes = {"UPDATE crowded SET filler = 'y' WHERE id = 7"};
            Duration time = Duration.ofSeconds(Effort.of(1, 60));

            Waits locksAlone = Waits.of(cluster, locks);
            Waits changesAlone = Waits.of(cluster, changes);
            LockSupport.parkNanos(time.toNanos());
            List<Double> alone = locksAlone.end();
            List<Double> changedAlone = changesAlone.end();
            Waits locksBeside = Waits.of(cluster, locks);
            Waits changesBeside = Waits.of(cluster, changes);
            long end = System.nanoTime() + time.toNanos();
            int runs = 0;
            JobReport report;
            do {
                report = JobRun.of(new IntegrityValidationJobType(), cluster, IntegritySettings.defaults())
                        .attempt()
                        .completed()
                        .report();
                runs++;
            } while (System.nanoTime() - end < 0);
            List<Double> beside = locksBeside.end();
            List<Double> changedBeside = changesBeside.end();

            System.out.printf(
                    "FIGURE ACCESS EXCLUSIVE lock of a table: alone %s; beside %d validations of it %s%n",
                    figure(alone), runs, figure(beside));
            System.out.printf(
                    "FIGURE UPDATE of a row of it: alone %s; beside %s%n", figure(changedAlone), figure(changedBeside));
            assertThat(report.findings()).isEmpty();
            assertThat(beside).hasSizeGreaterThan(2);
        }
    }
}
