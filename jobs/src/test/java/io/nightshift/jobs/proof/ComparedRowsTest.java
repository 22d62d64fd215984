package io.nightshift.jobs.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.restore.LeasedCopy;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import io.nightshift.jobs.wal.WalArchiveJobType;
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
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A primary whose WAL is archived, its standby, and one backup, which is compared with them again and again. */
class ComparedRowsTest {

    private static final RestoreTestJobType TYPE = new RestoreTestJobType();
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static Pair newest;

    /** Servers that are written to while they are read. */
    private static final class Pair implements AutoCloseable {

        private final int major;
        private final TestCluster alone;
        private final TestPostgres standby;
        private final TestCluster cluster;
        private final JobRun archive;
        private final CompletableFuture<JobRun.Outcome> archiving;
        private final AtomicBoolean writes = new AtomicBoolean();

        Pair(int major) throws IOException {
            this.major = major;
            Map<String, String> settings =
                    new HashMap<>(Map.of("track_commit_timestamp", "on", "wal_keep_size", "256MB"));
            alone = TestCluster.start(major, settings);
            TestPostgres primary = alone.postgres();
            settings.put("max_connections", "100");
            settings.put(
                    "primary_conninfo",
                    "host=127.0.0.1 port=" + primary.port() + " user=" + primary.username() + " password="
                            + primary.password());
            standby = TestPostgres.prepare(major, settings);
            Files.createFile(standby.dataDirectory().resolve("standby.signal"));
            standby.restart();
            cluster = alone.withStandby(standby.server());
            primary.execute("postgres", "CREATE DATABASE \"other one\"");
            primary.execute(
                    "other one",
                    "CREATE TABLE \"odd \"\" name\" (t text, at timestamptz, amount float8, raw bytea, doc jsonb)",
                    "INSERT INTO \"odd \"\" name\" SELECT repeat(md5(i::text), 200), now() + i * interval '1 s', i / 3.0,"
                            + " decode(md5(i::text), 'hex'), jsonb_build_object('i', i) FROM generate_series(1, 200) i",
                    "CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM \"odd \"\" name\"");
            primary.execute(
                    "postgres",
                    "CREATE TABLE written (id bigserial, v int)",
                    "CREATE TABLE closed AS SELECT i FROM generate_series(1, 500) i",
                    "CREATE UNLOGGED TABLE unlogged AS SELECT 1");
            archive = JobRun.of(
                    new WalArchiveJobType(),
                    alone,
                    settings(new WalArchiveJobType(), Map.of("store-partial-every", "1s")));
            archiving = archive.begin();
            await().atMost(PATIENCE)
                    .until(() -> primary.text("SELECT count(*) FROM pg_replication_slots")
                            .equals("1"));
            JobRun.of(
                            new FullBackupJobType(),
                            alone,
                            settings(new FullBackupJobType(), Map.of("compression", "zstd:1", "checkpoint", "fast")))
                    .attempt()
                    .completed();
        }

        /** One transaction after the other, until it is to end. */
        CompletableFuture<Void> write() {
            writes.set(true);
            return CompletableFuture.runAsync(() -> {
                while (writes.get()) {
                    alone.postgres().execute("postgres", "INSERT INTO written (v) SELECT generate_series(1, 100)");
                }
            });
        }

        void endWriting() {
            writes.set(false);
        }

        /** Until the archive has all that is written by now. */
        void awaitArchived() {
            Lsn written = Lsn.parse(alone.postgres().text("SELECT pg_current_wal_flush_lsn()"));
            await().atMost(PATIENCE)
                    .until(() -> RestorableCluster.of(
                                    TestCluster.NAME,
                                    alone.clusterStorages().forReading(TestCluster.NAME),
                                    alone.backups(),
                                    null)
                            .restorability()
                            .windows()
                            .stream()
                            .anyMatch(window -> !window.to().isBefore(written)));
        }

        JobRun.Outcome test(TestCluster where, Map<String, ?> settings, Runnable beforeCheck) {
            return JobRun.of(TYPE, where, settings(TYPE, settings))
                    .before("restoreBackup", this::endWriting)
                    .before("checkCopy", beforeCheck)
                    .attempt()
                    .completed();
        }

        private static Record settings(JobType type, Map<String, ?> changed) {
            return RecordBinder.fromMap(type.settings(), changed);
        }

        void execute(String database, String... statements) {
            try (Connection connection = PostgresServer.open(onlyCopy(), TestPostgres.binaries(major))
                            .connect(database);
                    Statement statement = connection.createStatement()) {
                for (String sql : statements) {
                    statement.execute(sql);
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        Path onlyCopy() {
            try (Stream<Path> left = Files.list(cluster.restoredCopies().scratch())) {
                return left.findFirst().orElseThrow().resolve("nightshift-temporary-copy/data");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            endWriting();
            archive.endDay();
            archiving.join();
            standby.close();
            alone.close();
        }
    }

    @BeforeAll
    static void start() throws IOException {
        newest = new Pair(PostgresVersion.NEWEST_SUPPORTED_MAJOR);
    }

    @AfterAll
    static void stop() {
        newest.close();
    }

    private static String ask(Connection connection, String sql) throws SQLException {
        try (connection;
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void assertReplays(Pair pair) {
        await().atMost(PATIENCE)
                .until(() -> pair.standby
                        .text("SELECT pg_get_wal_replay_pause_state()")
                        .equals("not paused"));
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void only_what_the_copy_has_otherwise_than_a_standby_that_is_written_to_is_found(int major) throws Exception {
        if (major == PostgresVersion.NEWEST_SUPPORTED_MAJOR) {
            assertFound(newest);
            return;
        }
        try (Pair pair = new Pair(major)) {
            assertFound(pair);
        }
    }

    /** What has not been touched in the copy is equal, the table that is written to all the time among it. */
    private static void assertFound(Pair pair) {
        CompletableFuture<Void> writing = pair.write();

        JobReport report = pair.test(pair.cluster, Map.of("digest-limit", "1m"), () -> {
                    pair.execute("postgres", "DELETE FROM closed WHERE i = 7", "CREATE TABLE more (i int)");
                    pair.execute(
                            "other one",
                            "UPDATE \"odd \"\" name\" SET amount = 0 WHERE amount > 66",
                            "DROP MATERIALIZED VIEW seen");
                })
                .report();

        writing.join();
        assertThat(report.findings())
                .extracting(Finding::key)
                .containsExactlyInAnyOrder(
                        "restore-test/rows/postgres.public.closed",
                        "restore-test/rows/postgres.public.more",
                        "restore-test/rows/other one.public.seen",
                        "restore-test/rows/other one.public.odd \" name");
        assertThat(report.findings())
                .extracting(Finding::detail)
                .anyMatch(detail -> detail.matches("standby 127.0.0.1:\\d+ at \\S+ has 500 rows, the copy 499"))
                .anyMatch(detail -> detail.matches(
                        "standby 127.0.0.1:\\d+ at \\S+ and the copy have 200 rows each, but not the same"))
                .anyMatch(detail -> detail.endsWith(" has no such table, the copy has"))
                .anyMatch(detail -> detail.contains(" has it, the copy not: relation \"public.seen\""));
        System.out.println("FIGURE compared: " + report.summary() + "; " + report.figures());
        assertThat(report.notEvaluated()).isEmpty();
        assertThat(report.summary()).contains(" checked, 3 compared with the source, 4 wrong, would lose ");
        assertThat(report.exitStatus()).isEqualTo(3);
        assertReplays(pair);
    }

    @Test
    void a_standby_goes_on_when_the_process_that_paused_it_is_killed() {
        String[] coordinates = Arrays.copyOf(newest.cluster.coordinates(), 5);
        coordinates[4] = Integer.toString(newest.standby.port());

        try (var killed = ChildJvm.start(
                RestoreTestChild.class, Map.of("NIGHTSHIFT_CRASH_AT", "restore-test.paused"), coordinates)) {
            assertThat(killed.exitStatus()).as("%s", killed).isEqualTo(CrashPoint.EXIT_STATUS);
        }

        assertReplays(newest);
    }

    @Test
    void a_standby_goes_on_when_all_sessions_there_are_ended() throws Exception {
        try (DatabaseOrchestrator clusters = newest.cluster.orchestrator()) {
            ManagedCluster cluster = clusters.cluster(TestCluster.NAME);
            cluster.observeNow();
            PausedStandby paused =
                    PausedStandby.of(cluster.node(new Intent.Standby(new DataSize(Long.MAX_VALUE))), "test");

            newest.standby.text("""
                    SELECT count(pg_terminate_backend(pid)) FROM (
                        SELECT pid FROM pg_stat_activity
                         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                         ORDER BY query NOT LIKE '%$nightshift$%') ours
                    """);
            paused.close();
        }

        assertReplays(newest);
    }

    @Test
    void a_standby_that_somebody_else_has_paused_stays_paused() throws Exception {
        String state = "SELECT pg_get_wal_replay_pause_state()";
        newest.standby.text("SELECT pg_wal_replay_pause()::text");
        await().atMost(PATIENCE).until(() -> newest.standby.text(state).equals("paused"));

        try {
            JobReport report = newest.test(newest.cluster, Map.of("digest-limit", "1m"), () -> {})
                    .report();

            assertThat(report.notEvaluated()).anyMatch(gap -> gap.reason().endsWith(" is paused by somebody else"));
            assertThat(newest.standby.text(state)).isEqualTo("paused");
        } finally {
            newest.standby.text("SELECT pg_wal_replay_resume()::text");
        }
        assertReplays(newest);
    }

    @Test
    void a_role_that_may_pause_and_not_resume_pauses_nothing() throws Exception {
        newest.alone
                .postgres()
                .execute(
                        "postgres",
                        "CREATE ROLE half LOGIN PASSWORD 'half'",
                        "GRANT pg_monitor TO half",
                        "GRANT EXECUTE ON FUNCTION pg_wal_replay_pause() TO half");
        await().atMost(PATIENCE)
                .until(() -> newest.standby
                        .text("SELECT count(*) FROM pg_proc WHERE proname = 'pg_wal_replay_pause'"
                                + " AND proacl::text LIKE '%half%'")
                        .equals("1"));

        JobReport report = newest.test(newest.cluster.as("half", "half"), Map.of("digest-limit", "1m"), () -> {})
                .report();

        assertThat(report.notEvaluated())
                .anyMatch(gap -> gap.reason().contains("permission denied for function pg_wal_replay_resume: GRANT "));
        assertReplays(newest);
    }

    @Test
    void a_snapshot_does_not_keep_the_rows_of_a_table_that_is_truncated_and_its_form_says_so() throws Exception {
        TestPostgres primary = newest.alone.postgres();
        primary.execute("postgres", "CREATE TABLE staged AS SELECT i FROM generate_series(1, 9) i");
        try (Connection connection = primary.connect("postgres");
                CopySession now = session(primary.connect("postgres"))) {
            CopySession session = session(connection);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setAutoCommit(false);
            List<TableDigest.Named> before = TableDigest.Named.in(session, "postgres");
            primary.execute("postgres", "TRUNCATE staged", "ANALYZE closed");

            TableDigest read = session.attempt(() -> TableDigest.read(session, "staged", "true"));

            assertThat(read.rows()).isZero();
            assertThat(TableDigest.Named.in(now, "postgres"))
                    .extracting(table -> table + table.form())
                    .doesNotContain(form(before, "staged"))
                    .contains(form(before, "closed"), form(before, "written"));
            assertThat(now.text("SELECT count(*) FROM pg_locks WHERE relation = 'staged'::regclass"))
                    .contains("0");
        } finally {
            primary.execute("postgres", "DROP TABLE staged");
        }
    }

    private static CopySession session(Connection connection) {
        return CopySession.of(connection, new CheckTime(PATIENCE), new Cancellation());
    }

    private static String form(List<TableDigest.Named> tables, String name) {
        return tables.stream()
                .filter(table -> table.name().equals(name))
                .map(table -> table + table.form())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void closed_ranges_are_compared_where_there_is_no_standby() {
        Map<String, ?> settings = Map.of(
                "digest-limit",
                "1m",
                "closed-ranges",
                List.of(
                        Map.of("database", "postgres", "table", "public.closed", "where", "i < 100"),
                        Map.of("database", "postgres", "table", "public.absent", "where", "true")));

        JobReport report = newest.test(
                        newest.alone,
                        settings,
                        () -> newest.execute("postgres", "DELETE FROM closed WHERE i IN (7, 300)"))
                .report();

        assertThat(report.findings()).singleElement().satisfies(finding -> {
            assertThat(finding.subject()).isEqualTo("postgres.public.closed where i < 100");
            assertThat(finding.detail()).isEqualTo("primary has 99 rows, the copy 98");
        });
        assertThat(report.notEvaluated())
                .singleElement()
                .satisfies(gap -> assertThat(gap.reason())
                        .isEqualTo("not read at the source: relation \"public.absent\" does not exist"));
    }

    @Test
    void any_moment_can_be_reached_and_has_what_was_committed_before_it() throws Exception {
        CompletableFuture<Void> writing = newest.write();
        await().atMost(PATIENCE)
                .until(() -> newest.alone
                        .postgres()
                        .text("SELECT count(*) > 1000 FROM written")
                        .equals("t"));
        newest.endWriting();
        writing.join();
        newest.awaitArchived();

        JobReport report = newest.test(
                        newest.alone, Map.of("backup", "random-moment", "seed", 42, "keep-copy", "1h"), () -> {})
                .report();

        assertThat(report.findings()).isEmpty();
        assertThat(report.figures()).contains(new Figure("seed", 42L, ""));
        assertThat(report.summary()).matches("restored \\S+ to \\S+Z in .*, would lose .*");
        System.out.println("FIGURE random moment: " + report.summary());
        String moment = report.summary().split(" ", -1)[3];
        try (LeasedCopy copy = newest.cluster
                .restoredCopies()
                .present(TestCluster.NAME, Clock.systemUTC().instant())
                .orElseThrow()) {
            assertThat(ask(copy.connect("postgres"), "SELECT count(*) FROM public.written"))
                    .isEqualTo(newest.alone
                            .postgres()
                            .text("SELECT count(*) FROM written WHERE pg_xact_commit_timestamp(xmin) <= '" + moment
                                    + "'"));
        } finally {
            newest.cluster.restoredCopies().discard(TestCluster.NAME);
        }
    }
}
