package io.nightshift.jobs.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.restore.LeasedCopy;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import io.nightshift.jobs.backup.IncrementalBackupJobType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A full backup and an incremental one, restored again and again: whole, and with something wrong in the copy. */
class RestoreTestJobTest {

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static final RestoreTestJobType TYPE = new RestoreTestJobType();

    private static TestCluster cluster;
    private static String torn;
    private static String staleMap;
    private static byte[] oldMap;
    private static String lostIndex;
    private static byte[] oldIndex;

    @BeforeAll
    static void start() throws Exception {
        cluster = TestCluster.start(
                18,
                Map.of(
                        "summarize_wal", "on",
                        "autovacuum", "off",
                        "TimeZone", "Asia/Kolkata",
                        "work_mem", "7MB",
                        "random_page_cost", "1.3",
                        "enable_mergejoin", "off"));
        TestPostgres postgres = cluster.postgres();
        postgres.execute(
                "postgres",
                "CREATE TABLE torn (id int PRIMARY KEY, filler text)",
                "INSERT INTO torn SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i",
                "CREATE TABLE stale (id int PRIMARY KEY, filler text)",
                "INSERT INTO stale SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i",
                "CREATE TABLE lost (id int PRIMARY KEY)",
                "INSERT INTO lost SELECT i FROM generate_series(1, 100) i",
                "VACUUM (FREEZE) stale",
                "CHECKPOINT");
        torn = path("torn");
        staleMap = path("stale") + "_vm";
        oldMap = Files.readAllBytes(postgres.dataDirectory().resolve(staleMap));
        lostIndex = path("lost_pkey");
        oldIndex = Files.readAllBytes(postgres.dataDirectory().resolve(lostIndex));
        postgres.execute("postgres", "DELETE FROM stale WHERE id <= 10", "INSERT INTO lost VALUES (101)");
        backup(new FullBackupJobType(), Map.of("compression", "zstd:1", "checkpoint", "fast"));
        postgres.execute("postgres", "UPDATE torn SET filler = 'changed' WHERE id = 7");
        backup(new IncrementalBackupJobType(), Map.of("backup", Map.of("compression", "zstd:1", "checkpoint", "fast")));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void backup(JobType type, Map<String, ?> settings) {
        JobRun.of(type, cluster, RecordBinder.fromMap(type.settings(), settings))
                .attempt()
                .completed();
    }

    private static String path(String relation) throws Exception {
        try (Connection connection = cluster.postgres().connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_relation_filepath('" + relation + "')")) {
            row.next();
            return row.getString(1);
        }
    }

    private static RestoreTestSettings settings(Map<String, ?> changed) {
        return RecordBinder.fromMap(RestoreTestSettings.class, changed);
    }

    private static Map<String, ?> asserting(String... queries) {
        return Map.of(
                "assertions",
                Stream.of(queries)
                        .map(sql -> Map.of("database", "postgres", "sql", sql))
                        .toList());
    }

    /** What is in the folder of the copies, below it. */
    private static List<Path> left() {
        Path scratch = cluster.restoredCopies().scratch();
        if (!Files.exists(scratch)) {
            return List.of();
        }
        try (Stream<Path> left = Files.list(scratch)) {
            return left.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path onlyCopy() {
        assertThat(left()).hasSize(1);
        return left().get(0).resolve("nightshift-temporary-copy/data");
    }

    private static StoredBackup newest() {
        List<StoredBackup> backups = cluster.backups();
        return backups.get(backups.size() - 1);
    }

    private static Proofs proofs() {
        return RestorableCluster.of(
                        TestCluster.NAME,
                        cluster.clusterStorages().forReading(TestCluster.NAME),
                        cluster.backups(),
                        null)
                .restorability()
                .proofs();
    }

    private static List<String> keys(JobReport report) {
        return report.findings().stream().map(Finding::key).toList();
    }

    @Test
    void a_sound_chain_is_proven_and_says_so_beside_the_backup() {
        var run =
                JobRun.of(TYPE, cluster, settings(asserting("SELECT count(*) = 1 FROM torn WHERE filler = 'changed'")));
        var outcome = run.attempt().completed();
        JobReport report = outcome.report();

        System.out.println("FIGURE restore test: " + report.summary() + "; " + report.figures());
        assertThat(report.findings()).isEmpty();
        assertThat(report.notEvaluated()).isEmpty();
        assertThat(report.summary())
                .matches("restored " + newest().label()
                        + " \\(chain of 2\\) in \\d+\\.\\d s, \\d+ tables and \\d+ indexes checked,"
                        + " would lose (nothing|at most [\\d.:]+ (s|min) \\(.* of WAL\\))");
        assertThat(outcome.steps())
                .containsExactly(
                        "chooseBackup",
                        "fingerprintSource",
                        "restoreBackup",
                        "recoverCopy",
                        "checkCopy",
                        "writeProof",
                        "keepCopy");
        Proof proof = newest().proof().orElseThrow();
        assertThat(proof.holds()).isTrue();
        assertThat(proof.note()).satisfies(note -> {
            assertThat(note.run()).isEqualTo(run.context().id());
            assertThat(note.chain()).isEqualTo(2);
            assertThat(note.reachedLsn())
                    .isGreaterThanOrEqualTo(newest().document().orElseThrow().endLsn());
            assertThat(note.tables()).isGreaterThan(3 * 60);
            assertThat(note.indexes()).isGreaterThan(3 * 100);
            assertThat(note.assertions()).isEqualTo(1);
            assertThat(note.notDone()).isEmpty();
        });
        assertThat(proofs().proven()).isEqualTo(proof);
        assertThat(proofs().refuted()).isNull();
        assertThat(left()).isEmpty();
        cluster.awaitNoTraces();
    }

    @Test
    void what_is_wrong_in_the_copy_is_found_and_refutes_the_backup() {
        var outcome = JobRun.of(TYPE, cluster, settings(asserting("SELECT count(*) > 1000 FROM lost")))
                .before("recoverCopy", RestoreTestJobTest::damageCopy)
                .attempt()
                .completed();
        JobReport report = outcome.report();

        assertThat(keys(report))
                .containsExactlyInAnyOrder(
                        "restore-test/assertion/postgres/SELECT count(*) > 1000 FROM lost",
                        "restore-test/heap/postgres.public.torn",
                        "restore-test/index/postgres.public.torn_pkey",
                        "restore-test/visibility/postgres.public.stale",
                        "restore-test/count/postgres.public.stale",
                        "restore-test/index/postgres.public.lost_pkey",
                        "restore-test/count/postgres.public.lost");
        assertThat(details(report))
                .contains(
                        "returned f, expected one row with t: SELECT count(*) > 1000 FROM lost",
                        "invalid page in block 0 of relation \"" + torn + "\"",
                        "a sequential scan counts 990 rows, an index-only scan 1000",
                        "a sequential scan counts 101 rows, an index-only scan 100")
                .anyMatch(detail -> detail.contains("lacks matching index tuple within index \"lost_pkey\""))
                .anyMatch(detail -> detail.startsWith("10 rows are not visible to all on pages that its visibility map"
                        + " calls all-visible, the first at (0,1)"));
        assertThat(report.findings()).allSatisfy(finding -> {
            assertThat(finding.severity()).isGreaterThanOrEqualTo(Severity.ERROR);
            assertThat(finding.remedy()).contains("the source");
        });
        assertThat(report.exitStatus()).isEqualTo(3);
        assertThat(report.summary()).contains(" checked, 7 wrong, would lose ");
        assertThat(newest().proof()).hasValueSatisfying(proof -> {
            assertThat(proof.holds()).isFalse();
            assertThat(proof.reason()).endsWith(" (and 6 more)");
        });
        assertThat(proofs().refuted()).isEqualTo(newest().proof().orElseThrow());
        assertThat(left()).isEmpty();
    }

    private static List<String> details(JobReport report) {
        return report.findings().stream().map(Finding::detail).toList();
    }

    /** After its checksums were compared: a byte of a page, a map and an index of the day before. */
    private static void damageCopy() {
        Path data = onlyCopy();
        try {
            byte[] pages = Files.readAllBytes(data.resolve(torn));
            pages[5000] ^= 1;
            Files.write(data.resolve(torn), pages);
            Files.write(data.resolve(staleMap), oldMap);
            Files.write(data.resolve(lostIndex), oldIndex);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void what_does_not_recover_is_a_finding() {
        var outcome = JobRun.of(TYPE, cluster, settings(Map.of()))
                .before("recoverCopy", () -> delete(onlyCopy().resolve("global/pg_filenode.map")))
                .attempt()
                .completed();

        assertThat(keys(outcome.report())).containsExactly("restore-test/restore/chanuka");
        assertThat(details(outcome.report()).get(0)).startsWith("does not recover: PostgreSQL on ");
        assertThat(newest().proof()).hasValueSatisfying(proof -> {
            assertThat(proof.holds()).isFalse();
            assertThat(proof.note().reachedLsn()).isNull();
        });
        assertThat(left()).isEmpty();
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void what_does_not_fit_is_not_evaluated() {
        var proof = newest().proof();

        var outcome = JobRun.of(TYPE, cluster, settings(Map.of("scratch-limit", "1MB")))
                .attempt()
                .completed();

        assertThat(outcome.report().notEvaluated()).singleElement().satisfies(gap -> {
            assertThat(gap.subject()).isEqualTo("backup " + newest().label());
            assertThat(gap.reason())
                    .matches("[\\d.]+ MB needed, scratch-limit is 1.00 MB: raise it to test this backup");
        });
        // The cluster once, and not all that the two backups have.
        long full = cluster.backups().get(0).document().orElseThrow().bytes();
        long incremental = newest().document().orElseThrow().bytes();
        assertThat(neededMegabytes(outcome.report()) * (1 << 20)).isLessThan((double) (full + incremental));
        assertThat(outcome.report().exitStatus()).isEqualTo(6);
        assertThat(outcome.report().hasLookedFor("restore-test/heap/postgres.public.torn"))
                .isFalse();
        assertThat(newest().proof()).isEqualTo(proof);
        assertThat(left()).isEmpty();
    }

    private static double neededMegabytes(JobReport report) {
        return Double.parseDouble(report.notEvaluated().get(0).reason().split(" ", 2)[0]);
    }

    @Test
    void what_is_not_reached_in_time_is_not_evaluated_and_does_not_count_as_proven() {
        var before = newest().proof();

        var outcome = JobRun.of(
                        TYPE,
                        cluster,
                        settings(Map.of(
                                "check-limit",
                                "1s",
                                "assertions",
                                List.of(Map.of("database", "postgres", "sql", "SELECT true FROM pg_sleep(60)")))))
                .attempt()
                .completed();

        assertThat(outcome.report().findings()).isEmpty();
        assertThat(outcome.report().notEvaluated())
                .extracting(gap -> gap.subject() + ": " + gap.reason())
                .containsExactly(
                        "assertion in postgres: no answer within 1s: SELECT true FROM pg_sleep(60)",
                        "databases template0, template1, postgres: not reached within check-limit 1s");
        assertThat(outcome.report().hasLookedFor("restore-test/index/postgres.public.lost_pkey"))
                .isFalse();
        assertThat(outcome.report().summary()).contains(" checked, not all reached, so not proven, would lose ");
        assertThat(newest().proof()).isEqualTo(before);
        assertThat(cluster.files()).anyMatch(file -> file.endsWith("-partly.json"));
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void any_backup_of_every_version_is_proven(int major) {
        if (major == PostgresVersion.NEWEST_SUPPORTED_MAJOR) {
            assertThat(prove(cluster)).matches("restored \\S+-(full-\\S{4}|incremental-\\S{4} \\(chain of 2\\)) in .*");
            return;
        }
        try (TestCluster other = TestCluster.start(major, Map.of())) {
            other.postgres()
                    .execute(
                            "postgres",
                            "CREATE FUNCTION never() RETURNS event_trigger LANGUAGE plpgsql AS"
                                    + " $$ BEGIN RAISE EXCEPTION 'the trigger of the source has run'; END $$",
                            "CREATE EVENT TRIGGER never ON ddl_command_end EXECUTE FUNCTION never()");
            JobRun.of(
                            new FullBackupJobType(),
                            other,
                            RecordBinder.fromMap(
                                    new FullBackupJobType().settings(),
                                    Map.of("compression", "zstd:1", "checkpoint", "fast")))
                    .attempt()
                    .completed();

            assertThat(prove(other))
                    .startsWith("restored " + other.backups().get(0).label() + " in ");
        }
    }

    private static String prove(TestCluster one) {
        JobReport report = JobRun.of(TYPE, one, settings(Map.of("backup", "random")))
                .attempt()
                .completed()
                .report();
        assertThat(report.findings()).isEmpty();
        assertThat(report.notEvaluated()).isEmpty();
        return report.summary();
    }

    @Test
    void a_dry_run_says_what_it_would_restore() {
        var outcome = JobRun.dry(TYPE, cluster, settings(Map.of("backup", "random")))
                .attempt()
                .completed();

        assertThat(outcome.report().summary())
                .matches(
                        "would restore \\S+( \\(chain of 2\\))?, up to [\\d.]+ MB, and check it with PostgreSQL 18\\.\\d+");
        assertThat(left()).isEmpty();
    }

    @Test
    void a_copy_that_is_kept_is_there_until_its_time_is_over_and_nobody_uses_it() throws Exception {
        JobReport report = JobRun.of(TYPE, cluster, settings(Map.of("keep-copy", "1h", "digest-limit", "1m")))
                .attempt()
                .completed()
                .report();
        RestoredCopies copies = cluster.restoredCopies();
        Instant now = Clock.systemUTC().instant();
        Instant tomorrow = now.plus(Duration.ofDays(1));

        try (LeasedCopy copy = copies.present(TestCluster.NAME, now).orElseThrow();
                LeasedCopy beside = copies.present(TestCluster.NAME, now).orElseThrow();
                Connection connection = copy.connect("postgres")) {
            assertThat(ask(connection, "SELECT count(*) FROM public.torn")).isEqualTo("1000");
            assertThat(ask(connection, "SHOW work_mem")).isEqualTo("7MB");
            assertThat(ask(connection, "SHOW random_page_cost")).isEqualTo("1.3");
            assertThat(ask(connection, "SHOW enable_mergejoin")).isEqualTo("off");
            assertThat(beside.databases()).containsExactly("postgres");
            assertThat(copy.copy()).satisfies(kept -> {
                assertThat(kept.backup()).isEqualTo(newest().label());
                assertThat(kept.directory()).isEqualTo(onlyCopy().toString());
                assertThat(kept.differences()).isEmpty();
                assertThat(report.sections())
                        .anyMatch(section -> section.title().equals("restored copy")
                                && section.toString()
                                        .contains(kept.until()
                                                .truncatedTo(ChronoUnit.SECONDS)
                                                .toString()));
            });
            assertThat(copies.sweep(tomorrow)).isEmpty();
            assertThat(copies.discard(TestCluster.NAME)).isEmpty();
            try (var other = ChildJvm.start(SweepChild.class, copies.scratch().toString(), tomorrow.toString())) {
                assertThat(other.exitStatus()).as("%s", other).isZero();
                assertThat(other.output()).contains("swept []");
            }
        }
        assertThat(copies.sweep(now)).isEmpty();
        assertThat(copies.present(TestCluster.NAME, tomorrow)).isEmpty();
        assertThat(copies.sweep(tomorrow))
                .singleElement()
                .satisfies(gone -> assertThat(gone.reason()).startsWith("its time was over at "));
        assertThat(report.notEvaluated())
                .singleElement()
                .satisfies(gap -> assertThat(gap.reason())
                        .isEqualTo("the cluster has no standby that answers, and the settings name no closed-ranges"));
        assertNothingLeft();
    }

    private static String ask(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void assertNothingLeft() {
        assertThat(left()).isEmpty();
        assertThat(PostgresServer.runningDataDirectories())
                .noneMatch(directory ->
                        directory.startsWith(cluster.restoredCopies().scratch()));
    }

    /** Whether the System V segment of a server is there. */
    private static boolean isThere(String segment) throws IOException {
        return Files.readAllLines(Path.of("/proc/sysvipc/shm")).stream()
                .anyMatch(line -> List.of(line.strip().split("\\s+", -1)).get(1).equals(segment));
    }

    @Test
    void nothing_is_left_of_a_copy_that_was_kept_by_a_run_that_was_killed_when_its_server_is_killed_too()
            throws Exception {
        try (var killed = ChildJvm.start(
                RestoreTestChild.class, Map.of("NIGHTSHIFT_CRASH_AT", "restore-test.keeping"), cluster.coordinates())) {
            assertThat(killed.exitStatus()).as("%s", killed).isEqualTo(CrashPoint.EXIT_STATUS);
        }
        RestoredCopies copies = cluster.restoredCopies();
        Instant now = Clock.systemUTC().instant();
        List<String> postmaster = Files.readAllLines(onlyCopy().resolve("postmaster.pid"));
        String segment = postmaster.get(6).strip().split("\\s+", -1)[1];

        assertThat(copies.sweep(now)).isEmpty();
        copies.present(TestCluster.NAME, now).orElseThrow().close();
        ProcessHandle.of(Long.parseLong(postmaster.get(0))).orElseThrow().destroyForcibly();
        await().until(() -> !PostgresServer.isRunning(onlyCopy()));

        assertThat(isThere(segment)).isTrue();
        assertThat(copies.present(TestCluster.NAME, now)).isEmpty();
        assertThat(copies.sweep(now))
                .singleElement()
                .satisfies(gone -> assertThat(gone.reason()).isEqualTo("its server has ended"));
        assertThat(isThere(segment)).isFalse();
        assertNothingLeft();
    }

    /** At one of these places, or at all with a larger effort. */
    private static List<String> crashPoints() {
        List<String> all = new ArrayList<>(List.of(
                "restore.extracted",
                "restore-test.restored",
                "restore-test.open",
                "restore-test.checked",
                "recovery",
                "checks"));
        Collections.shuffle(
                all, Seed.underTest().get(Seed.underTest().size() - 1).random());
        return all.subList(0, Effort.of(1, all.size()));
    }

    private static void killAt(String place) {
        try (var killed =
                ChildJvm.start(RestoreTestChild.class, Map.of("NIGHTSHIFT_CRASH_AT", place), cluster.coordinates())) {
            switch (place) {
                // By single-user mode, and then by its server.
                case "recovery" -> await().atMost(PATIENCE).until(() -> left().size() == 1 && hasServer());
                case "checks" -> killed.awaitLine("step checkCopy");
                default -> assertThat(killed.exitStatus()).as("%s", killed).isEqualTo(CrashPoint.EXIT_STATUS);
            }
            killed.kill();
        }
        assertThat(left()).as(place).hasSize(1);
    }

    private static boolean hasServer() {
        return PostgresServer.isRunning(onlyCopy());
    }

    @Test
    void nothing_is_left_of_a_run_that_was_killed_nor_of_one_that_was_stopped() {
        for (String place : crashPoints()) {
            cluster.restoredCopies().sweep(Clock.systemUTC().instant());
            assertNothingLeft();
            killAt(place);
        }

        List<Boolean> running = new ArrayList<>();
        var next = JobRun.of(TYPE, cluster, settings(Map.of()));
        next.before("checkCopy", () -> {
            running.add(PostgresServer.isRunning(onlyCopy()));
            next.cancel("stopped by a test");
        });
        var outcome = next.attempt();

        assertThat(outcome.failed().kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(running).containsExactly(true);
        assertThat(outcome.report().findings()).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.INFO);
            assertThat(finding.detail()).startsWith("was left by a process that was killed");
        });
        assertNothingLeft();
    }
}
