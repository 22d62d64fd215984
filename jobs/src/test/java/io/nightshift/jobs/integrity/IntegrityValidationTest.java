package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.chunk.StoredChunks;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.StoredSchemas;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import io.nightshift.jobs.integrity.rule.RuleFiles;
import io.nightshift.jobs.proof.RestoreTestJobType;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** A server with one orphan, on which others work, hold locks, give no rights, and end processes. */
class IntegrityValidationTest {

    private static final IntegrityValidationJobType TYPE = new IntegrityValidationJobType();
    private static final String ORPHAN = "integrity/foreign-key/app.public.child.child_parent_fkey";

    private static TestCluster cluster;
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(18, Map.of("autovacuum", "off"));
        postgres = cluster.postgres();
        postgres.execute("postgres", "CREATE DATABASE app", "CREATE DATABASE control");
        postgres.execute(
                "app",
                "CREATE EXTENSION amcheck",
                "CREATE TABLE parent (id int PRIMARY KEY)",
                "INSERT INTO parent SELECT generate_series(1, 100)",
                "CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent)",
                "INSERT INTO child SELECT i, 1 + i % 100 FROM generate_series(1, 20000) i",
                "SET session_replication_role = replica",
                "INSERT INTO child VALUES (20001, 777)");
        makeControlDatabase(postgres);
    }

    /** With a run and its lease, for a process of its own. */
    static void makeControlDatabase(TestPostgres server) {
        server.execute(
                "control",
                "CREATE TABLE run (id bigint PRIMARY KEY, job text, cluster text, state text)",
                "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, token bigint NOT NULL)",
                "CREATE TABLE chunk (run bigint, number int, place text NOT NULL, work text NOT NULL, outcome text,"
                        + " PRIMARY KEY (run, number))",
                "CREATE TABLE covered_target (cluster text, target text, at timestamptz, PRIMARY KEY (cluster, target))",
                "CREATE TABLE seen_schema (cluster text, database text, run bigint, at timestamptz, content bytea,"
                        + " PRIMARY KEY (cluster, database, run))",
                "INSERT INTO run VALUES (0, 'test', 'chanuka', 'completed'), (1, 'test', 'chanuka', 'running')",
                "INSERT INTO lease VALUES ('run/1', 'test-node', 1)");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    static IntegritySettings settings(Map<String, ?> changed) {
        return RecordBinder.fromMap(IntegritySettings.class, changed);
    }

    /** Only what reads rows. */
    static IntegritySettings rows(Map<String, ?> changed) {
        var all = new HashMap<String, Object>(changed);
        all.put("except", List.of("heap", "btree", "gin", "open", "unique"));
        return settings(all);
    }

    private static List<String> keys(JobReport report) {
        return report.findings().stream().map(Finding::key).toList();
    }

    private static List<String> reasons(JobReport report, String subject) {
        return report.notEvaluated().stream()
                .filter(gap -> gap.subject().startsWith(subject))
                .map(NotEvaluated::reason)
                .toList();
    }

    @Test
    void a_run_that_was_killed_goes_on_behind_its_last_chunk_in_another_process_and_tells_drift_again() {
        seeNothing();
        try (var killed = ChildJvm.start(
                IntegrityChild.class,
                Map.of("NIGHTSHIFT_CRASH_AT", "integrity-validation.chunk-40"),
                cluster.coordinates())) {
            assertThat(killed.exitStatus()).as("%s", killed).isEqualTo(CrashPoint.EXIT_STATUS);
        }
        assertThat(seenBy(1)).as("the schema that the killed one has seen").isEqualTo(1);
        List<String> finished = chunks("outcome IS NOT NULL");
        int open = chunks("outcome IS NULL").size();
        try (var killedBetweenSteps = ChildJvm.start(
                IntegrityChild.class,
                Map.of("NIGHTSHIFT_CRASH_AT", "integrity-validation.checked"),
                cluster.coordinates())) {
            assertThat(killedBetweenSteps.exitStatus())
                    .as("%s", killedBetweenSteps)
                    .isEqualTo(CrashPoint.EXIT_STATUS);
        }
        List<String> all = chunks("true");

        // It would die there again if it did that chunk again.
        try (var restarted = ChildJvm.start(
                IntegrityChild.class,
                Map.of("NIGHTSHIFT_CRASH_AT", "integrity-validation.chunk-40"),
                cluster.coordinates())) {
            assertThat(restarted.exitStatus()).as("%s", restarted).isZero();
            assertThat(restarted.output())
                    .contains("found " + ORPHAN, "found integrity/schema-drift/app.table public.parent");
        }

        assertThat(finished).hasSizeGreaterThan(40);
        assertThat(open).isPositive();
        assertThat(chunks("outcome IS NULL")).isEmpty();
        assertThat(chunks("true")).isEqualTo(all);
        assertThat(all).startsWith(finished.toArray(String[]::new));
    }

    /** As if database app had been empty when run 0 looked. */
    private static void seeNothing() {
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, IntegritySettings.defaults(), false);
        postgres.execute(
                "control", "INSERT INTO lease VALUES ('run/" + run.id() + "', 'test-node', 1) ON CONFLICT DO NOTHING");
        var source = new PGSimpleDataSource();
        source.setUrl(postgres.url("control"));
        source.setUser(postgres.username());
        source.setPassword(postgres.password());
        new StoredSchemas(source).saw(run, "app", new Schema(List.of()), Instant.EPOCH);
        postgres.execute("control", "UPDATE seen_schema SET run = 0");
    }

    private static long seenBy(int run) {
        try (Connection connection = postgres.connect("control");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT count(*) FROM seen_schema WHERE database = 'app' AND run = " + run)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Numbers, and the transactions that have written them last. */
    private static List<String> chunks(String which) {
        try (Connection connection = postgres.connect("control");
                Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT number || ' ' || xmin::text FROM chunk WHERE run = 1 AND ("
                                + which + ") ORDER BY number")) {
            List<String> chunks = new ArrayList<>();
            while (row.next()) {
                chunks.add(row.getString(1));
            }
            return chunks;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void chunks_of_several_places_are_kept_apart() {
        JobRun.of(TYPE, cluster, IntegritySettings.defaults()); // the first run is that of the processes
        var run = JobRun.of(TYPE, cluster, IntegritySettings.defaults()).context();
        postgres.execute(
                "control",
                "INSERT INTO run VALUES (" + run.id() + ", 'test', 'chanuka', 'running')",
                "INSERT INTO lease VALUES ('run/" + run.id() + "', 'test-node', 1)");
        var control = new PGSimpleDataSource();
        control.setUrl("jdbc:postgresql://127.0.0.1:" + postgres.port() + "/control");
        control.setUser(postgres.username());
        control.setPassword(postgres.password());

        for (ChunkBook book : List.of(new StoredChunks(control), ChunkBook.ofThisProcess())) {
            book.plan(run, "here", List.of("a", "b"));
            book.plan(run, "there", List.of("c"));
            book.finish(run, Map.of(book.chunks(run, "there").get(0).number(), "done"));
            book.plan(run, "here", List.of("d"));

            assertThat(book.chunks(run, "here"))
                    .extracting(Chunk::work, Chunk::outcome)
                    .containsExactly(tuple("d", null));
            assertThat(book.chunks(run, "there"))
                    .extracting(Chunk::work, Chunk::outcome)
                    .containsExactly(tuple("c", "done"));
        }
    }

    @Test
    void a_locked_table_and_one_that_takes_too_long_are_not_evaluated_and_the_rest_is() throws Exception {
        postgres.execute(
                "app",
                "CREATE TABLE held (id int PRIMARY KEY)",
                "INSERT INTO held VALUES (1)",
                "CREATE TABLE slow (id int PRIMARY KEY)",
                "INSERT INTO slow VALUES (1)",
                "CREATE FUNCTION for_long (id int) RETURNS boolean LANGUAGE plpgsql AS"
                        + " 'BEGIN PERFORM pg_sleep(60); RETURN true; END'",
                "ALTER TABLE slow ADD CONSTRAINT takes_long CHECK (for_long(id)) NOT VALID");
        JobReport report;
        try (Connection holder = postgres.connect("app");
                Statement statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE");
            report = JobRun.of(TYPE, cluster, settings(Map.of("chunk-limit", "1s")))
                    .attempt()
                    .completed()
                    .report();
        } finally {
            postgres.execute("app", "DROP TABLE slow", "DROP FUNCTION for_long", "DROP TABLE held");
        }

        assertThat(keys(report)).contains(ORPHAN);
        assertThat(reasons(report, "app.public.held")).containsOnly("it is locked by another session");
        assertThat(report.sections()).extracting(Section::title).contains("schemas");
        assertThat(reasons(report, "app.public.slow")).containsExactly("a block takes longer than chunk-limit 1s");
        assertThat(report.hasLookedFor("integrity/check-constraint/app.public.slow.takes_long"))
                .isFalse();
        assertThat(report.hasLookedFor("integrity/heap/app.public.held")).isFalse();
        assertThat(report.hasLookedFor("integrity/btree/app.public.held_pkey")).isFalse();
        assertThat(report.hasLookedFor(ORPHAN)).isTrue();
    }

    @Test
    void a_table_that_is_dropped_in_the_middle_is_not_evaluated_and_one_that_is_truncated_is_what_it_is_then()
            throws Exception {
        postgres.execute(
                "app",
                "CREATE TABLE brief (id int PRIMARY KEY CHECK (id > 0))",
                "INSERT INTO brief VALUES (1)",
                "CREATE TABLE shrunk (id int CHECK (id > 0))",
                "INSERT INTO shrunk SELECT generate_series(1, 5000)");
        List<Target> dropped = targets("public.brief");
        List<Target> truncated = targets("public.shrunk");
        postgres.execute("app", "DROP TABLE brief", "TRUNCATE shrunk", "INSERT INTO shrunk VALUES (1)");

        var run = JobRun.of(TYPE, cluster, IntegritySettings.defaults()).context();
        try (var clusters = cluster.orchestrator();
                JudgedServer server = JudgedServer.choose(
                        IntegritySettings.Where.PRIMARY,
                        clusters.cluster(TestCluster.NAME),
                        cluster.restoredCopies(),
                        run,
                        Instant.EPOCH);
                var check = new PieceCheck(server, IntegritySettings.defaults(), run, null, () -> false)) {
            assertThat(dropped)
                    .hasSizeGreaterThan(3)
                    .allSatisfy(target -> assertThat(
                                    check.look(Piece.of(target, 10).get(0)).gap())
                            .as(target.key())
                            .isEqualTo("it was dropped meanwhile"));
            assertThat(truncated)
                    .hasSize(2)
                    .allSatisfy(target -> assertThat(Piece.of(target, 10))
                            .hasSizeGreaterThan(1)
                            .extracting(check::look)
                            .as(target.key())
                            .containsOnly(Outcome.PASS));
        } finally {
            postgres.execute("app", "DROP TABLE shrunk");
        }
    }

    private static List<Target> targets(String table) throws SQLException {
        try (CheckSession session = CheckSession.of(postgres.connect("app"), new Cancellation())) {
            return new Targets(session, "app", "app", false)
                    .read(false).stream()
                            .filter(target -> target.table().equals(table))
                            .toList();
        }
    }

    @Test
    void a_role_without_rights_sees_nothing_and_says_so() {
        postgres.execute(
                "app",
                "CREATE ROLE reader LOGIN PASSWORD 'reader' IN ROLE pg_monitor",
                "CREATE TABLE hidden (id int PRIMARY KEY, parent int REFERENCES parent)",
                "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
                "GRANT SELECT ON hidden, parent TO reader");
        try {
            JobReport report = JobRun.of(TYPE, cluster.as("reader", "reader"), IntegritySettings.defaults())
                    .attempt()
                    .completed()
                    .report();

            assertThat(keys(report)).doesNotContain(ORPHAN);
            assertThat(reasons(report, "app.public.child"))
                    .containsExactlyInAnyOrder(
                            "permission denied for table child", "our role may not call the functions of amcheck");
            assertThat(reasons(report, "app.public.hidden"))
                    .contains("query would be affected by row-level security policy for table \"hidden\"");
            assertThat(report.exitStatus()).isEqualTo(6);
        } finally {
            postgres.execute("app", "DROP TABLE hidden", "DROP OWNED BY reader", "DROP ROLE reader");
        }
    }

    @Test
    void settings_of_a_database_hide_nothing_and_code_of_others_does_not_run_with_our_rights() {
        postgres.execute(
                "app",
                "CREATE ROLE maker",
                "CREATE FUNCTION made (n int) RETURNS boolean LANGUAGE sql AS 'SELECT n > 0'",
                "ALTER FUNCTION made OWNER TO maker",
                "CREATE TABLE excluded (n int PRIMARY KEY)",
                "INSERT INTO excluded VALUES (-1)",
                "ALTER TABLE excluded ADD CONSTRAINT above CHECK (n > 0) NOT VALID",
                "ALTER TABLE excluded ADD CONSTRAINT called CHECK (made(n)) NOT VALID",
                "UPDATE pg_constraint SET convalidated = true WHERE conname IN ('above', 'called')",
                "ALTER DATABASE app SET constraint_exclusion = on",
                "ALTER DATABASE app SET zero_damaged_pages = on");
        try {
            JobReport report = JobRun.of(TYPE, cluster, rows(Map.of()))
                    .attempt()
                    .completed()
                    .report();

            assertThat(keys(report))
                    .contains("integrity/check-constraint/app.public.excluded.above")
                    .doesNotContain("integrity/check-constraint/app.public.excluded.called");
            assertThat(reasons(report, "app.public.excluded"))
                    .singleElement()
                    .asString()
                    .startsWith("it calls a function of a role that is no superuser");
        } finally {
            postgres.execute(
                    "app",
                    "ALTER DATABASE app RESET ALL",
                    "DROP TABLE excluded",
                    "DROP OWNED BY maker",
                    "DROP ROLE maker");
        }
    }

    @Test
    void what_a_constraint_calls_cannot_write_and_nothing_that_it_sets_stays() {
        String writing = "CREATE FUNCTION writing (n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
                + " PERFORM set_config('default_transaction_read_only', 'off', false);"
                + " PERFORM set_config('search_path', 'public, pg_catalog', false);"
                + " BEGIN INSERT INTO public.stolen SELECT parent FROM public.child WHERE id = 20001;"
                + " EXCEPTION WHEN read_only_sql_transaction THEN NULL; END; RETURN n > 0; END $$";
        postgres.execute(
                "app",
                "CREATE ROLE reader LOGIN PASSWORD 'reader' IN ROLE pg_monitor, pg_read_all_data",
                "CREATE TABLE stolen (n int)",
                "GRANT INSERT ON stolen TO reader",
                writing,
                "CREATE TABLE calling (n int PRIMARY KEY)",
                "INSERT INTO calling VALUES (1)",
                "ALTER TABLE calling ADD CONSTRAINT first CHECK (writing(n)), ADD CONSTRAINT second CHECK (writing(n + 1))",
                "TRUNCATE stolen");
        try {
            JobReport report = JobRun.of(TYPE, cluster.as("reader", "reader"), rows(Map.of()))
                    .attempt()
                    .completed()
                    .report();

            assertThat(keys(report)).contains(ORPHAN);
            assertThat(reasons(report, "app.public.calling")).isEmpty();
            assertThat(rowsOf("stolen")).isZero();
        } finally {
            postgres.execute(
                    "app",
                    "DROP TABLE calling, stolen",
                    "DROP FUNCTION writing",
                    "DROP OWNED BY reader",
                    "DROP ROLE reader");
        }
    }

    private static long rowsOf(String table) {
        try (Connection connection = postgres.connect("app");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Alone it looks at all, domains over types of a certain length among it. */
    @Test
    void a_superuser_looks_at_nothing_that_could_call_code_of_those_who_log_in_beside_it() {
        postgres.execute(
                "app",
                "CREATE DOMAIN code AS char(5) CHECK (VALUE ~ '^[A-Z]{5}$')",
                "CREATE DOMAIN flags AS bit(8) CHECK (VALUE <> B'00000000')",
                "CREATE TABLE coded (id code PRIMARY KEY, f flags UNIQUE)",
                "INSERT INTO coded VALUES ('ABCDE', B'10000000'), ('ABCDF', B'10000001')",
                "CREATE TABLE listed (a int PRIMARY KEY, b int REFERENCES parent) PARTITION BY LIST (a)",
                "CREATE TABLE listed_1 PARTITION OF listed FOR VALUES IN (1)");
        IntegritySettings settings = settings(Map.of("except", List.of("heap", "btree", "gin", "open")));
        try {
            JobReport alone =
                    JobRun.of(TYPE, cluster, settings).attempt().completed().report();
            postgres.execute("app", "CREATE ROLE mallory LOGIN");
            JobReport beside =
                    JobRun.of(TYPE, cluster, settings).attempt().completed().report();

            assertThat(keys(alone)).containsExactly(ORPHAN);
            assertThat(reasons(alone, "app.public.")).isEmpty();
            assertThat(keys(beside)).containsExactly(ORPHAN);
            assertThat(reasons(beside, "app.public.coded"))
                    .isNotEmpty()
                    .allMatch(
                            reason -> reason.equals("our role postgres is a superuser, and role mallory may log in: its"
                                    + " functions would run with our rights; let a role look that is none"));
            assertThat(reasons(beside, "app.public.listed_1")).hasSize(1);
            assertThat(reasons(beside, "app.public.child")).isEmpty();
        } finally {
            postgres.execute(
                    "app",
                    "DROP TABLE coded, listed",
                    "DROP DOMAIN code",
                    "DROP DOMAIN flags",
                    "DROP ROLE IF EXISTS mallory");
        }
    }

    @Test
    void whoever_waits_for_a_table_that_is_read_is_let_through_and_the_chunk_is_read_again() throws Exception {
        String function = "CREATE OR REPLACE FUNCTION lazy (id int) RETURNS boolean LANGUAGE plpgsql AS"
                + " 'BEGIN PERFORM pg_sleep(%s); RETURN id > 0; END'";
        postgres.execute(
                "app",
                "CREATE TABLE wanted (id int PRIMARY KEY)",
                "INSERT INTO wanted VALUES (-1)",
                function.formatted("120"),
                "ALTER TABLE wanted ADD CONSTRAINT is_lazy CHECK (lazy(id)) NOT VALID");
        try {
            var run = JobRun.of(TYPE, cluster, rows(Map.of("chunk-limit", "5m")));
            CompletableFuture<JobRun.Outcome> outcome = run.begin();
            await().until(() ->
                    postgres.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") > 0);

            postgres.execute(
                    "app",
                    "SET lock_timeout = '30s'",
                    "BEGIN",
                    "ALTER TABLE wanted ADD COLUMN more int",
                    function.formatted("0"),
                    "COMMIT");

            JobReport report = outcome.join().completed().report();
            assertThat(keys(report)).contains("integrity/check-constraint/app.public.wanted.is_lazy");
            assertThat(reasons(report, "app.public.wanted")).isEmpty();
        } finally {
            postgres.execute("app", "DROP TABLE wanted", "DROP FUNCTION lazy");
        }
    }

    @Test
    void rows_that_come_and_go_with_their_parents_are_no_orphans() {
        postgres.execute(
                "app",
                "CREATE TABLE busy_parent (id int PRIMARY KEY)",
                "CREATE TABLE busy_child (id int PRIMARY KEY, parent int REFERENCES busy_parent, filler text)",
                "CREATE INDEX ON busy_child (parent)");
        var over = new AtomicBoolean();
        var changes = new AtomicInteger();
        List<CompletableFuture<Void>> workers = List.of(1, 2).stream()
                .map(worker -> CompletableFuture.runAsync(() -> change(worker, over, changes)))
                .toList();
        try {
            ChunkBook book = ChunkBook.ofThisProcess();
            long end = System.nanoTime() + Duration.ofSeconds(Effort.of(2, 600)).toNanos();
            int rounds = 0;
            String last = "";
            while (rounds < 2 || System.nanoTime() - end < 0) {
                rounds++;
                int before = changes.get();
                JobReport report = JobRun.of(TYPE, cluster, rows(Map.of("chunk-size", "32kB")))
                        .keepingChunks(book)
                        .attempt()
                        .completed()
                        .report();

                assertThat(keys(report))
                        .filteredOn(key -> key.startsWith("integrity/foreign-key/"))
                        .containsExactly(ORPHAN);
                last = report.summary();
                await().until(() -> changes.get() > before || workers.stream().anyMatch(CompletableFuture::isDone));
            }
            System.out.printf(
                    "FIGURE %d validations beside %d changes of 100 rows, no false orphan; the last: %s%n",
                    rounds, changes.get(), last);
        } finally {
            over.set(true);
            workers.forEach(CompletableFuture::join);
            postgres.execute("app", "DROP TABLE busy_child, busy_parent");
        }
        assertThat(changes).hasValueGreaterThan(3);
    }

    private static void change(int worker, AtomicBoolean over, AtomicInteger changes) {
        try (Connection connection = postgres.connect("app");
                Statement statement = connection.createStatement()) {
            for (int round = worker; !over.get(); round += 2) {
                int first = round * 100;
                statement.execute(
                        "INSERT INTO busy_parent SELECT generate_series(" + first + ", " + (first + 99) + ")");
                statement.execute("INSERT INTO busy_child SELECT i, i, repeat('x', 500) FROM generate_series(" + first
                        + ", " + (first + 99) + ") i");
                if (round > 20) {
                    int last = (round - 20) * 100;
                    statement.execute("DELETE FROM busy_child WHERE parent BETWEEN " + last + " AND " + (last + 99)
                            + "; DELETE FROM busy_parent WHERE id BETWEEN " + last + " AND " + (last + 99));
                }
                if (worker == 1 && round % 20 == 1) {
                    statement.execute("VACUUM busy_child, busy_parent");
                }
                changes.incrementAndGet();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_restored_copy_is_taken_first_and_the_report_says_so() {
        JobRun.of(
                        new FullBackupJobType(),
                        cluster,
                        RecordBinder.fromMap(
                                new FullBackupJobType().settings(),
                                Map.of("compression", "zstd:1", "checkpoint", "fast")))
                .attempt()
                .completed();
        JobRun.of(
                        new RestoreTestJobType(),
                        cluster,
                        RecordBinder.fromMap(new RestoreTestJobType().settings(), Map.of("keep-copy", "1h")))
                .attempt()
                .completed();
        try {
            JobReport report = JobRun.of(TYPE, cluster, IntegritySettings.defaults())
                    .withRules(RuleFiles.read(cluster, """
                            database: app
                            rules:
                              parents: {table: public.child, relationship: {columns: [parent], references: public.parent}}
                              role: {failing-rows: SELECT WHERE session_user <> 'nightshift_reader'}
                              files: {failing-rows: SELECT pg_ls_dir('.')}
                            """))
                    .attempt()
                    .completed()
                    .report();

            String copy = "restored copy of backup " + cluster.backups().get(0).label();
            assertThat(report.summary()).contains(" on " + copy + ", ");
            assertThat(report.findings())
                    .filteredOn(finding -> finding.key().equals(ORPHAN))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail()).endsWith("(" + copy + ")"));
            // Its source has amcheck in one database only: the copy is given it, the node is not. Rules are asked as a
            // reader.
            assertThat(report.notEvaluated())
                    .extracting(NotEvaluated::subject)
                    .contains("pages of node 127.0.0.1:" + postgres.port());
            assertThat(reasons(report, "rule"))
                    .allSatisfy(reason -> assertThat(reason).startsWith("permission denied for function pg_ls_dir"));
            assertThat(report.findings())
                    .filteredOn(finding -> finding.key().startsWith("integrity/rule/"))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail())
                            .isEqualTo("1 of 20,001 rows (0.00500 %), broken from rows >0: id 20001, parent 777 ("
                                    + copy + ")"));
        } finally {
            cluster.restoredCopies().discard(TestCluster.NAME);
        }
    }
}
