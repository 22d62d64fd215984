package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two backups: in the newer one an index is damaged. */
class BisectDamageTest {

    private static final BisectDamageJobType TYPE = new BisectDamageJobType();
    private static final String DAMAGE = "integrity/btree/app.public.turned_n";

    private static TestCluster cluster;
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(17, Map.of("autovacuum", "off"));
        postgres = cluster.postgres();
        postgres.execute("postgres", "CREATE DATABASE app", "CREATE DATABASE control");
        postgres.execute(
                "app",
                "CREATE FUNCTION up (a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp(a, b)'",
                "CREATE FUNCTION down (a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp(b, a)'",
                "CREATE OPERATOR CLASS fickle FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,"
                        + " OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 up (int, int)",
                "CREATE TABLE turned (id int PRIMARY KEY, n int)",
                "INSERT INTO turned SELECT i, i FROM generate_series(1, 300) i",
                "CREATE INDEX turned_n ON turned (n fickle)");
        IntegrityValidationTest.makeControlDatabase(postgres);
        backUp();
        postgres.execute("app", "UPDATE pg_amproc SET amproc = 'down'::regproc WHERE amproc = 'up'::regproc");
        backUp();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void backUp() {
        JobRun.of(
                        new FullBackupJobType(),
                        cluster,
                        RecordBinder.fromMap(
                                new FullBackupJobType().settings(),
                                Map.of("compression", "zstd:1", "checkpoint", "fast")))
                .attempt()
                .completed();
    }

    static BisectSettings finding(String key) {
        return RecordBinder.fromMap(BisectSettings.class, Map.of(BisectDamageJobType.FINDING, key));
    }

    private static List<String> newestFirst() {
        return cluster.backups().stream()
                .map(StoredBackup::document)
                .map(document -> document.orElseThrow())
                .sorted((one, other) -> other.endedAt().compareTo(one.endedAt()))
                .map(document -> document.label() + " of " + document.endedAt().truncatedTo(ChronoUnit.SECONDS))
                .toList();
    }

    private static List<Path> copies() {
        Path scratch = cluster.restoredCopies().scratch();
        if (!Files.exists(scratch)) {
            return List.of();
        }
        try (Stream<Path> copies = Files.list(scratch)) {
            return copies.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String[] withFinding() {
        String[] all = Arrays.copyOf(cluster.coordinates(), 5);
        all[4] = DAMAGE;
        return all;
    }

    @Test
    void the_newest_clean_backup_is_found_although_the_process_is_killed_with_a_copy_open() {
        List<String> newestFirst = newestFirst();
        String older = newestFirst.get(1).replaceAll(" .*", "");
        try (var killed = ChildJvm.start(
                BisectChild.class, Map.of("NIGHTSHIFT_CRASH_AT", "bisect-damage.open-" + older), withFinding())) {
            assertThat(killed.exitStatus()).as("%s", killed).isEqualTo(CrashPoint.EXIT_STATUS);
        }
        assertThat(copies()).isNotEmpty();

        // It would die if it probed the newer one again.
        try (var restarted = ChildJvm.start(
                BisectChild.class, Map.of("NIGHTSHIFT_CRASH_AT", "bisect-damage.probed-0"), withFinding())) {
            assertThat(restarted.exitStatus()).as("%s", restarted).isZero();
            assertThat(restarted.output())
                    .contains(
                            "summary newest proven clean: " + newestFirst.get(1) + "; damaged from "
                                    + newestFirst.get(0) + " on; 2 of 2 backups probed",
                            "found bisect-damage/" + DAMAGE + ": nightshift pin " + older
                                    + " keeps it; nightshift restore " + older
                                    + " --to DIR gives its rows, older than what was written since");
        }
        assertThat(copies()).isEmpty();
    }

    @Test
    void backups_without_the_damage_tell_that_it_is_on_the_node() {
        JobReport report = JobRun.of(TYPE, cluster, finding("integrity/heap/app.public.turned"))
                .attempt()
                .completed()
                .report();

        assertThat(report.summary())
                .isEqualTo("the backups are clean, " + newestFirst().get(0)
                        + " is the newest: the damage is on the node, or came later; 1 of 2 backups probed");
        assertThat(report.findings()).isEmpty();
        assertThat(report.exitStatus()).isZero();
        assertThat(copies()).isEmpty();
    }

    @Test
    void a_run_that_is_stopped_leaves_no_copy() {
        JobRun run = JobRun.of(TYPE, cluster, finding(DAMAGE));
        CompletableFuture<JobRun.Outcome> outcome = run.begin();
        await().until(() -> run.progress().step().startsWith("restore "));

        run.cancel("stopped by a test");

        assertThat(outcome.join().failed().kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(copies()).isEmpty();
    }

    @Test
    void what_does_not_fit_here_is_not_testable_and_the_run_not_green() {
        JobReport report = JobRun.of(
                        TYPE,
                        cluster,
                        RecordBinder.fromMap(BisectSettings.class, Map.of("finding", DAMAGE, "scratch-limit", "1MB")))
                .attempt()
                .completed()
                .report();

        assertThat(report.summary()).isEqualTo("no backup could be tested; 2 of 2 backups probed");
        assertThat(report.notEvaluated())
                .hasSize(2)
                .extracting(NotEvaluated::reason)
                .allSatisfy(reason -> assertThat(reason).matches("[0-9.]+ MB needed, scratch-limit is 1.00 MB"));
        assertThat(report.exitStatus()).isEqualTo(6);
    }
}
