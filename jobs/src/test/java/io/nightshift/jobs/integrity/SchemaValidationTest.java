package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.migration.MigratedDatabase;
import io.nightshift.infra.migration.MigrationFolder;
import io.nightshift.infra.migration.MigrationHistory;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.schema.KeptSchema;
import io.nightshift.infra.schema.ObjectKind;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.infra.schema.SchemaObject;
import io.nightshift.infra.schema.SchemaReader;
import io.nightshift.infra.schema.StoredSchemas;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** Nights with a database whose schema changes, and one that it must be like. */
class SchemaValidationTest {

    private static final IntegrityValidationJobType TYPE = new IntegrityValidationJobType();
    private static final Instant ACCEPTED_AT = Instant.parse("2026-11-28T00:00:00Z");
    private static final Map<String, ?> LIKE = Map.of("like", Map.of("shop", TestCluster.NAME + "/stage.d"));

    private static TestCluster cluster;
    private static DatabaseOrchestrator clusters;
    private final SchemaBook book = SchemaBook.ofThisProcess();

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(18, Map.of());
        clusters = cluster.orchestrator();
        cluster.postgres().execute("postgres", "CREATE DATABASE shop", "CREATE DATABASE \"stage.d\"");
        for (String database : List.of("shop", "stage.d")) {
            cluster.postgres()
                    .execute(
                            database,
                            "CREATE TABLE bills (id int PRIMARY KEY, total int NOT NULL)",
                            "CREATE VIEW totals AS SELECT total FROM bills");
        }
    }

    @AfterAll
    static void stop() {
        clusters.close();
        cluster.close();
    }

    private static IntegritySettings settings(Map<String, ?> schema) {
        return IntegrityValidationTest.settings(Map.of("schema", schema));
    }

    private JobReport night(Map<String, ?> schema) {
        return night(schema, book, cluster.restoredCopies());
    }

    private static JobReport night(Map<String, ?> schema, SchemaBook book, RestoredCopies copies) {
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(schema), false);
        new CompareSchemasTasklet(run, clusters, copies, book, Clock.systemUTC()).execute(null, null);
        return run.report();
    }

    private static List<String> gaps(JobReport report) {
        return report.notEvaluated().stream()
                .map(gap -> gap.subject() + ": " + gap.reason())
                .toList();
    }

    private static List<String> told(JobReport report) {
        return report.findings().stream()
                .map(finding -> finding.severity() + " " + finding.key() + ": " + finding.detail())
                .map(line -> line.replaceAll("run [0-9]+( at [-0-9T:]+Z)?", "run N"))
                .toList();
    }

    private void accept(String database) {
        book.accept(TestCluster.NAME, database, new KeptSchema(read(database), ACCEPTED_AT, "someone"));
    }

    private static Schema read(String database) {
        try (Connection session = cluster.postgres().connect(database)) {
            return SchemaReader.read(session, Duration.ofSeconds(30), new Cancellation());
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void drift_is_told_once_and_what_was_not_accepted_each_night() {
        accept("shop");
        List<String> first = told(night(LIKE));
        cluster.postgres()
                .execute(
                        "shop",
                        "ALTER TABLE bills DROP CONSTRAINT bills_pkey",
                        "CREATE TABLE more (id int)",
                        "GRANT SELECT ON bills TO pg_monitor");
        JobReport second = night(LIKE);
        List<String> third = told(night(Map.of("except", List.of("rights"))));
        List<String> fourth;
        try {
            accept("shop");
            fourth = told(night(Map.of()));
        } finally {
            cluster.postgres()
                    .execute(
                            "shop",
                            "DROP TABLE more",
                            "REVOKE ALL ON bills FROM pg_monitor",
                            "ALTER TABLE bills ADD PRIMARY KEY (id)");
        }

        assertThat(first).isEmpty();
        String pkey = ".constraint bills_pkey of table public.bills: ";
        assertThat(told(second))
                .containsExactlyInAnyOrder(
                        "WARNING integrity/schema-drift/shop" + pkey + "is gone since run N: PRIMARY KEY (id)",
                        "INFO integrity/schema-drift/shop.table public.more: is new since run N, with 2 objects of it",
                        "INFO integrity/schema-drift/shop.privileges pg_monitor of table public.bills: is new since run N: SELECT",
                        "ERROR integrity/schema/shop" + pkey
                                + "is missing, unlike in what someone accepted at 2026-11-28T00:00:00Z: PRIMARY KEY (id)",
                        "WARNING integrity/schema/shop.table public.more: is unexpected,"
                                + " not in what someone accepted at 2026-11-28T00:00:00Z, with 2 objects of it",
                        "WARNING integrity/schema/shop.privileges pg_monitor of table public.bills: is unexpected,"
                                + " not in what someone accepted at 2026-11-28T00:00:00Z: SELECT",
                        "ERROR integrity/schema-like/shop" + pkey
                                + "is missing, unlike in database stage.d of cluster chanuka: PRIMARY KEY (id)",
                        "WARNING integrity/schema-like/shop.table public.more: is unexpected,"
                                + " not in database stage.d of cluster chanuka, with 1 object of it");
        assertThat(second.findings())
                .filteredOn(finding -> finding.key().contains("pkey"))
                .extracting(Finding::remedy)
                .containsExactlyInAnyOrder(
                        "if it was not meant: ALTER TABLE public.bills ADD CONSTRAINT bills_pkey PRIMARY KEY (id)",
                        "ALTER TABLE public.bills ADD CONSTRAINT bills_pkey PRIMARY KEY (id);"
                                + " or, if it is meant: nightshift schema accept chanuka --database shop",
                        "ALTER TABLE public.bills ADD CONSTRAINT bills_pkey PRIMARY KEY (id)");
        assertThat(second.exitStatus()).isEqualTo(3);
        assertThat(third).hasSize(2).allSatisfy(line -> assertThat(line).contains(" integrity/schema/shop."));
        assertThat(fourth).isEmpty();
    }

    @Test
    void what_cannot_be_read_is_not_evaluated_and_never_missing_and_databases_come_and_go() throws Exception {
        accept("shop");
        night(Map.of());
        cluster.postgres().execute("postgres", "ALTER DATABASE \"stage.d\" RENAME TO fresh");
        try (Connection holder = cluster.postgres().connect("shop");
                Statement statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE bills IN ACCESS EXCLUSIVE MODE");

            JobReport report = night(LIKE);

            assertThat(told(report))
                    .containsExactlyInAnyOrder(
                            "WARNING integrity/schema-drift/stage.d: is gone since run N",
                            "INFO integrity/schema-drift/fresh: is new");
            assertThat(report.notEvaluated())
                    .extracting(NotEvaluated::subject, NotEvaluated::reason)
                    .containsExactly(tuple("schema of database shop", "canceling statement due to lock timeout"));
            assertThat(report.hasLookedFor("integrity/schema/shop.table public.bills"))
                    .isFalse();
            assertThat(report.hasLookedFor("integrity/schema-drift/fresh.table public.bills"))
                    .isTrue();
        }
        try {
            JobReport report = night(LIKE);

            assertThat(told(report)).isEmpty();
            assertThat(report.notEvaluated())
                    .extracting(NotEvaluated::subject, NotEvaluated::reason, NotEvaluated::keys)
                    .containsExactly(tuple(
                            "database shop against chanuka/stage.d",
                            "settings.schema.like: connection to 127.0.0.1:"
                                    + cluster.postgres().port()
                                    + " of cluster chanuka refused: database \"stage.d\" does not exist",
                            List.of("integrity/schema-like/shop.")));
        } finally {
            cluster.postgres().execute("postgres", "ALTER DATABASE fresh RENAME TO \"stage.d\"");
        }
    }

    @Test
    void what_a_run_has_seen_counts_for_others_when_it_is_completed_and_no_more_than_that_is_kept() {
        TestPostgres postgres = cluster.postgres();
        postgres.execute("postgres", "CREATE DATABASE control");
        postgres.execute(
                "control",
                "CREATE TABLE run (id bigint PRIMARY KEY, job text, state text)",
                "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, token bigint NOT NULL)",
                "CREATE TABLE seen_schema (cluster text, database text, run bigint, at timestamptz, content bytea,"
                        + " PRIMARY KEY (cluster, database, run))");
        try {
            var stored = new StoredSchemas(source("control"));
            RememberedRun first = storedRun();
            RememberedRun second = storedRun();
            RememberedRun third = storedRun();
            Schema schema = new Schema(List.of(new SchemaObject(ObjectKind.SCHEMA, "s", null, "", List.of())));
            Schema other = new Schema(List.of());

            stored.saw(first, "shop", schema, ACCEPTED_AT);
            assertThat(stored.seenBefore(first, "shop")).isEmpty();
            assertThat(stored.seenBefore(second, "shop")).as("killed meanwhile").isEmpty();
            complete(first);
            assertThat(stored.seenBefore(second, "shop")).get().satisfies(kept -> {
                assertThat(kept.schema().fingerprint()).isEqualTo(schema.fingerprint());
                assertThat(kept.at()).isEqualTo(ACCEPTED_AT);
                assertThat(kept.by()).isEqualTo("run " + first.id());
            });

            stored.saw(second, "shop", other, ACCEPTED_AT);
            stored.saw(second, "shop", other, ACCEPTED_AT);
            assertThat(stored.seenBefore(second, "shop"))
                    .as("worked again")
                    .get()
                    .matches(kept -> kept.schema().size() == 1);
            complete(second);
            stored.sawNone(third, "shop", ACCEPTED_AT);
            assertThat(stored.databasesSeenBefore(third)).containsExactly("shop");
            complete(third);

            RememberedRun fourth = storedRun();
            assertThat(stored.databasesSeenBefore(fourth)).isEmpty();
            stored.saw(fourth, "shop", schema, ACCEPTED_AT);
            assertThat(runs()).containsExactly(third.id().number(), fourth.id().number());
            assertThat(stored.seenBy(third.id().number(), TestCluster.NAME, "shop"))
                    .isEmpty();
            assertThat(stored.seenBy(fourth.id().number(), TestCluster.NAME, "shop"))
                    .get()
                    .matches(kept -> kept.schema().size() == 1);
            complete(fourth);
            postgres.execute("control", "UPDATE run SET job = 'other' WHERE id = " + fourth.id());
            RememberedRun fifth = storedRun();
            assertThat(stored.seenBefore(fifth, "shop")).as("of another job").isEmpty();
            stored.saw(fifth, "shop", other, ACCEPTED_AT);
            assertThat(runs())
                    .containsExactly(
                            third.id().number(),
                            fourth.id().number(),
                            fifth.id().number());
            postgres.execute("control", "UPDATE seen_schema SET content = 'cut' WHERE run = " + fourth.id());
            assertThatThrownBy(() -> stored.seenBy(fourth.id().number(), TestCluster.NAME, "shop"))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            damaged -> assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                    .hasMessageStartingWith("what the control database keeps of the schema of database shop (by run "
                            + fourth.id() + ") is not readable: ");
            postgres.execute("control", "UPDATE lease SET token = 9");
            assertThatThrownBy(() -> stored.saw(fourth, "shop", other, ACCEPTED_AT))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            taken -> assertThat(taken.kind()).isEqualTo(FailureKind.REFUSED));
        } finally {
            postgres.execute("postgres", "DROP DATABASE control WITH (FORCE)");
        }
    }

    private static DataSource source(String database) {
        var source = new PGSimpleDataSource();
        source.setUrl(cluster.postgres().url(database));
        source.setUser(cluster.postgres().username());
        source.setPassword(cluster.postgres().password());
        return source;
    }

    private static RememberedRun storedRun() {
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(Map.of()), false);
        cluster.postgres()
                .execute(
                        "control",
                        "INSERT INTO run VALUES (" + run.id() + ", 'test', 'running')",
                        "INSERT INTO lease VALUES ('run/" + run.id() + "', 'test-node', 1)");
        return run;
    }

    private static void complete(RememberedRun run) {
        cluster.postgres().execute("control", "UPDATE run SET state = 'completed' WHERE id = " + run.id());
    }

    private static List<Long> runs() {
        try (Connection session = cluster.postgres().connect("control");
                Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("SELECT run FROM seen_schema ORDER BY 1")) {
            List<Long> runs = new ArrayList<>();
            while (row.next()) {
                runs.add(row.getLong(1));
            }
            return runs;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_migration_that_has_failed_is_told_with_what_is_out_of_order() {
        cluster.postgres()
                .execute(
                        "stage.d",
                        "CREATE TABLE history (installed_rank int PRIMARY KEY, version text, description text, type text,"
                                + " script text, checksum int, execution_time int, success boolean)",
                        "INSERT INTO history VALUES (1, '1', 'first', 'SQL', 'V1__first.sql', 7, 1, true),"
                                + " (2, '3', 'third', 'SQL', 'V3__third.sql', 7, 1, true),"
                                + " (3, '2', 'second', 'SQL', 'V2__second.sql', 7, 1, false)");
        JobReport report;
        try {
            report = night(Map.of("except", List.of("drift")));
        } finally {
            cluster.postgres().execute("stage.d", "DROP TABLE history");
        }

        assertThat(told(report))
                .containsExactlyInAnyOrder(
                        "ERROR integrity/migrations/stage.d.public.history/failed/V2__second.sql: migration 2 second has"
                                + " failed: what it did before may be half there",
                        "INFO integrity/migrations/stage.d.public.history/out-of-order/V2__second.sql: migration 2 second"
                                + " was applied behind a later version: a new database, where all are applied in order, may"
                                + " become another one");
        assertThat(report.sections())
                .singleElement()
                .satisfies(section -> assertThat(section.data().toString())
                        .contains("shop", "stage.d", "not looked for", "none accepted"));
    }

    @Test
    void a_database_is_compared_with_what_its_migrations_make_of_an_empty_one(@TempDir Path folder) throws Exception {
        Files.writeString(
                folder.resolve("V1__bills.sql"), "CREATE TABLE bills (id int PRIMARY KEY, total int NOT NULL);");
        Files.writeString(folder.resolve("V2__totals.sql"), "CREATE VIEW totals AS SELECT total FROM bills;");
        cluster.postgres().execute("postgres", "CREATE DATABASE migrated");
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(Map.of()), false);
        var check = new MigrationsCheck(run, cluster.restoredCopies(), Clock.systemUTC());
        try {
            new MigrationFolder(folder)
                    .migrate(source("migrated"), new MigrationHistory("public", "flyway_schema_history", List.of()));
            cluster.postgres()
                    .execute(
                            "migrated",
                            "CREATE EXTENSION amcheck",
                            "ALTER TABLE bills ALTER total DROP NOT NULL",
                            "CREATE INDEX by_hand ON bills (total)");
            Files.writeString(folder.resolve("V2__totals.sql"), "CREATE VIEW totals AS SELECT total, id FROM bills;");
            Files.writeString(folder.resolve("V3__more.sql"), "CREATE TABLE more (id int);");
            check.judge(clusters.cluster(TestCluster.NAME).node(Intent.PRIMARY), "migrated", read("migrated"), folder);
        } finally {
            cluster.postgres().execute("postgres", "DROP DATABASE migrated WITH (FORCE)");
        }

        String table = "integrity/migrations/migrated.public.flyway_schema_history/folder/";
        assertThat(told(run.report()).stream()
                        .map(line -> line.replaceAll("checksum -?[0-9]+, not -?[0-9]+", "checksum A, not B")
                                .replace(folder.toString(), "FOLDER")))
                .containsExactlyInAnyOrder(
                        "ERROR " + table
                                + "V2__totals.sql: migration 2 totals is another one in the folder than was applied:"
                                + " checksum A, not B (FOLDER)",
                        "INFO " + table
                                + "V3__more.sql: migration 3 more is in the folder and was not applied yet (FOLDER)",
                        "ERROR integrity/schema-migrated/migrated.not null total of table public.bills: is missing,"
                                + " unlike in an empty database after the migrations of FOLDER",
                        "WARNING integrity/schema-migrated/migrated.index public.by_hand of table public.bills: is unexpected,"
                                + " not in an empty database after the migrations of FOLDER:"
                                + " CREATE INDEX by_hand ON public.bills USING btree (total)",
                        "ERROR integrity/schema-migrated/migrated.view public.totals: is not as in an empty database after the"
                                + " migrations of FOLDER: is AS SELECT total FROM public.bills;; should be AS SELECT total, id"
                                + " FROM public.bills;");
        assertThat(run.report().notEvaluated()).isEmpty();
        assertThat(cluster.restoredCopies().scratch()).isEmptyDirectory();
    }

    @Test
    void a_statement_that_loses_data_says_so_behind_it() {
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(Map.of()), false);
        var more = new Schema(List.of(new SchemaObject(ObjectKind.TABLE, "public.more", null, "", List.of())));
        var before = new KeptSchema(new Schema(List.of()), ACCEPTED_AT, "run 7");

        SchemaFindings.drift("shop", before).report(run, before.schema(), more);

        assertThat(run.report().findings())
                .containsExactly(new Finding(
                        "integrity/schema-drift/shop.table public.more",
                        Severity.INFO,
                        "table public.more in database shop",
                        "is new since run 7 at 2026-11-28T00:00:00Z",
                        "if it was not meant: DROP TABLE public.more (loses its rows)"));
    }

    @Test
    void so_many_differences_that_nobody_reads_them_are_counted() {
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(Map.of()), false);
        var expected = new KeptSchema(new Schema(List.of()), ACCEPTED_AT, "someone");
        Schema live = tables(60);

        SchemaFindings.accepted("shop", expected).report(run, expected.schema(), live);

        assertThat(run.report().findings())
                .hasSize(SchemaFindings.MOST + 1)
                .extracting(Finding::severity)
                .containsOnly(Severity.WARNING);
        assertThat(run.report().findings())
                .last()
                .isEqualTo(new Finding(
                        "integrity/schema/shop.more",
                        Severity.WARNING,
                        "more objects in database shop",
                        "10 more are not as in what someone accepted at 2026-11-28T00:00:00Z",
                        "nightshift schema diff chanuka --database shop shows all"));
        assertThat(run.report().notEvaluated()).isEmpty();
        assertThat(run.report().hasLookedFor("integrity/schema/shop.table public.t9"))
                .as("is not told, and still there")
                .isFalse();
    }

    @Test
    void the_command_that_shows_all_compares_with_the_same_as_the_finding() {
        var kept = new KeptSchema(new Schema(List.of()), ACCEPTED_AT, "run 7");
        Stream<SchemaFindings> findings = Stream.of(
                SchemaFindings.drift("it's", kept),
                SchemaFindings.like("new\nline", new ClusterDatabase("staging", "shop")),
                SchemaFindings.migrated("shop", Path.of("/srv/my shop")));

        List<String> commands = findings.map(one -> {
                    var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(Map.of()), false);
                    one.report(run, tables(60), new Schema(List.of()));
                    return String.valueOf(
                            run.report().findings().get(SchemaFindings.MOST).remedy());
                })
                .toList();

        assertThat(commands)
                .containsExactly(
                        "nightshift schema diff chanuka --database 'it'\\''s' --since 7 shows all, until the next run",
                        "nightshift schema diff chanuka --database $'new\\nline' --like staging/shop shows all",
                        "nightshift schema diff chanuka --database shop --migrations '/srv/my shop' shows all");
    }

    private static Schema tables(int count) {
        return new Schema(IntStream.range(0, count)
                .mapToObj(number -> new SchemaObject(ObjectKind.TABLE, "public.t" + number, null, "", List.of()))
                .toList());
    }

    private static Schema view(String definition) {
        return new Schema(List.of(new SchemaObject(ObjectKind.VIEW, "public.v", null, definition, List.of())));
    }

    private static Finding difference(Schema expected, Schema live) {
        var run = RememberedRun.first(TYPE.name(), TestCluster.NAME, settings(Map.of()), false);
        SchemaFindings.accepted("shop", new KeptSchema(expected, ACCEPTED_AT, "someone"))
                .report(run, expected, live);
        return run.report().findings().get(0);
    }

    @Test
    void a_statement_is_shown_whole_or_not_at_all() {
        Finding lines = difference(view("AS\n SELECT 1"), new Schema(List.of()));
        Finding longer = difference(view("AS SELECT '" + "x".repeat(300) + "'"), new Schema(List.of()));
        Finding whole = difference(view("AS SELECT 'a  b'"), new Schema(List.of()));

        String command =
                "nightshift schema diff chanuka --database shop --sql shows the statements; or, if it is meant:"
                        + " nightshift schema accept chanuka --database shop";
        assertThat(lines.remedy()).isEqualTo(command);
        assertThat(longer.remedy()).isEqualTo(command);
        assertThat(whole.remedy()).startsWith("CREATE VIEW public.v AS SELECT 'a  b'; or, if it is meant: ");
    }

    @Test
    void what_differs_far_from_the_beginning_or_only_in_white_space_is_seen() {
        Finding far = difference(
                view("x".repeat(500) + " 1 " + "y".repeat(500)), view("x".repeat(500) + " 2 " + "y".repeat(500)));
        Finding space = difference(view("SELECT 'a  b'\n"), view("SELECT 'a b'\n"));

        String before = "x".repeat(59) + " ";
        String after = " " + "y".repeat(238) + "…";
        assertThat(far.detail()).endsWith("is …" + before + "2" + after + "; should be …" + before + "1" + after);
        assertThat(space.detail()).endsWith("is SELECT 'a b'\\n; should be SELECT 'a  b'\\n");
    }

    @Test
    void what_fails_for_one_database_is_not_evaluated_and_keeps_nobody_from_the_others(@TempDir Path folder)
            throws Exception {
        Files.writeString(folder.resolve("V1__bills.sql"), "SELECT 1");
        var broken = new SchemaObject(ObjectKind.COLUMN, "total", "table public.bills", null, List.of());
        book.accept(TestCluster.NAME, "shop", new KeptSchema(new Schema(List.of(broken)), ACCEPTED_AT, "someone"));
        accept("stage.d");
        cluster.postgres()
                .execute(
                        "shop",
                        "CREATE TABLE history (installed_rank int PRIMARY KEY, version text, description text, type text,"
                                + " script text, checksum int, installed_by text, installed_on timestamp, execution_time int,"
                                + " success boolean)");
        cluster.postgres().execute("stage.d", "CREATE TABLE more (id int)");
        var deep = new RestoredCopies(folder.resolve("copies"), major -> {
            throw new StackOverflowError("deep");
        });
        JobReport report;
        try {
            report = night(Map.of("migrations", Map.of("shop", folder.toString())), book, deep);
        } finally {
            cluster.postgres().execute("shop", "DROP TABLE history");
            cluster.postgres().execute("stage.d", "DROP TABLE more");
        }

        assertThat(gaps(report))
                .hasSize(2)
                .satisfiesExactly(
                        gap -> assertThat(gap)
                                .startsWith(
                                        "schema of database shop against what someone accepted at 2026-11-28T00:00:00Z:"
                                                + " unexpected java.lang.NullPointerException"),
                        gap -> assertThat(gap)
                                .isEqualTo(
                                        "migrations of database shop: unexpected java.lang.StackOverflowError: deep"));
        assertThat(report.hasLookedFor("integrity/schema/shop.table public.bills"))
                .isFalse();
        assertThat(report.hasLookedFor("integrity/migrations/shop.public.history/gaps"))
                .isFalse();
        assertThat(report.hasLookedFor("integrity/schema-migrated/shop.table public.bills"))
                .isFalse();
        assertThat(report.findings()).extracting(Finding::key).contains("integrity/schema/stage.d.table public.more");
        assertThat(report.sections().get(0).data().toString()).contains("not evaluated");
    }

    @Test
    void a_database_that_lets_nobody_in_keeps_nobody_from_the_others() {
        cluster.postgres().execute("postgres", "CREATE DATABASE closed");
        cluster.postgres()
                .execute(
                        "closed",
                        "CREATE FUNCTION close() RETURNS event_trigger LANGUAGE plpgsql AS"
                                + " 'BEGIN RAISE ''closed for today'' USING ERRCODE = ''57P03''; END'",
                        "CREATE EVENT TRIGGER close ON login EXECUTE FUNCTION close()");
        JobReport report;
        try {
            report = night(Map.of("like", Map.of("shop", TestCluster.NAME + "/closed")));
        } finally {
            cluster.postgres().execute("postgres", "DROP DATABASE closed");
        }

        assertThat(gaps(report))
                .satisfiesExactlyInAnyOrder(
                        gap -> assertThat(gap)
                                .startsWith("schema of database closed: ")
                                .contains("closed for today"),
                        gap -> assertThat(gap)
                                .startsWith("database shop against ")
                                .contains("closed for today"));
        assertThat(report.sections().get(0).data().toString()).contains("shop", "stage.d");
    }

    @Test
    void names_of_databases_that_are_not_there_are_told_with_what_names_them() {
        accept("stage.d");
        book.accept(TestCluster.NAME, "lost", new KeptSchema(new Schema(List.of()), ACCEPTED_AT, "someone"));

        JobReport report = night(Map.of(
                "like",
                        Map.of(
                                "shp", TestCluster.NAME + "/shop",
                                "shop", "nowhere/shop",
                                "stage.d", TestCluster.NAME + "/stage.d"),
                "migrations", Map.of("shopp", "/srv/shop")));

        assertThat(gaps(report))
                .containsExactlyInAnyOrder(
                        "database shp against chanuka/shop: settings.schema.like: cluster chanuka has no database shp;"
                                + " did you mean shop?",
                        "database shop against nowhere/shop: settings.schema.like: cluster nowhere is not configured",
                        "database stage.d against chanuka/stage.d: settings.schema.like: it is the same database",
                        "migrations of database shopp: settings.schema.migrations: cluster chanuka has no database shopp;"
                                + " did you mean shop?");
        assertThat(report.hasLookedFor("integrity/schema-migrated/shopp.table t"))
                .isFalse();
        assertThat(report.findings())
                .containsExactly(new Finding(
                        "integrity/schema/lost.database",
                        Severity.ERROR,
                        "database lost",
                        "is gone, and a schema of it is accepted",
                        "nightshift restore brings it back from a backup; or, if it is meant: nightshift schema accept"
                                + " chanuka --database lost --remove"));
    }

    @Test
    void a_database_that_takes_no_connections_is_not_gone_and_is_compared_with_what_it_was_when_it_does_again() {
        accept("stage.d");
        night(Map.of());
        cluster.postgres().execute("stage.d", "CREATE TABLE meanwhile (id int)");
        cluster.postgres().execute("postgres", "ALTER DATABASE \"stage.d\" ALLOW_CONNECTIONS false");
        JobReport closed;
        JobReport open;
        try {
            closed = night(Map.of());
            cluster.postgres().execute("postgres", "ALTER DATABASE \"stage.d\" ALLOW_CONNECTIONS true");
            open = night(Map.of());
        } finally {
            cluster.postgres().execute("postgres", "ALTER DATABASE \"stage.d\" ALLOW_CONNECTIONS true");
            cluster.postgres().execute("stage.d", "DROP TABLE meanwhile");
        }

        assertThat(told(closed)).isEmpty();
        assertThat(gaps(closed))
                .contains("schema of database stage.d: database stage.d is a template or takes no connections");
        assertThat(closed.hasLookedFor("integrity/schema/stage.d.table public.bills"))
                .isFalse();
        assertThat(told(open))
                .contains(
                        "INFO integrity/schema-drift/stage.d.table public.meanwhile: is new since run N, with 2 objects of it");
    }

    @Test
    void what_is_not_asked_for_is_neither_resolved_nor_lost() {
        accept("shop");
        night(Map.of());
        cluster.postgres().execute("shop", "GRANT SELECT ON bills TO pg_monitor");
        JobReport without;
        JobReport with;
        try {
            without = night(Map.of("except", List.of("rights")));
            with = night(Map.of());
        } finally {
            cluster.postgres().execute("shop", "REVOKE ALL ON bills FROM pg_monitor");
        }
        JobReport none = night(Map.of("except", List.of("accepted", "drift")));

        String grant = "privileges pg_monitor of table public.bills";
        assertThat(told(without)).isEmpty();
        assertThat(without.hasLookedFor("integrity/schema/shop." + grant)).isFalse();
        assertThat(without.hasLookedFor("integrity/schema/shop.table public.bills"))
                .isTrue();
        assertThat(without.hasLookedFor("integrity/schema-drift/shop." + grant)).isTrue();
        assertThat(with.findings())
                .extracting(Finding::key)
                .contains("integrity/schema-drift/shop." + grant, "integrity/schema/shop." + grant);
        assertThat(none.hasLookedFor("integrity/schema/shop." + grant)).isFalse();
        assertThat(none.hasLookedFor("integrity/schema/other.table t"))
                .as("nothing is accepted of it")
                .isTrue();
        assertThat(none.hasLookedFor("integrity/schema-drift/shop." + grant))
                .as("is over")
                .isTrue();
    }

    @Test
    void migrations_end_with_the_run_and_at_their_limit(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("V1__slow.sql"), """
                DO $$BEGIN EXECUTE format('COPY (SELECT 1) TO %L', current_setting('data_directory') || '/begun'); END$$;
                SELECT pg_sleep(600);
                """);
        var history = new MigrationHistory("public", "flyway_schema_history", List.of());
        var stopped = new Cancellation();
        var limited = new MigratedDatabase(cluster.restoredCopies(), Duration.ofMillis(300), new Cancellation());
        var endless = new MigratedDatabase(cluster.restoredCopies(), Duration.ofHours(1), stopped);

        assertThatThrownBy(() -> limited.schema("limited", 18, new MigrationFolder(folder), history, Instant.EPOCH))
                .hasMessage("migrations of folder " + folder + " not applied to an empty database within 300ms");
        Thread stopping = new Thread(() -> {
            Path server = cluster.restoredCopies().scratch().resolve("endless").resolve("nightshift-temporary-copy");
            await().until(() -> Files.exists(server.resolve("data").resolve("begun")));
            stopped.cancel("stopped by a test");
        });
        stopping.start();
        assertThatThrownBy(() -> endless.schema("endless", 18, new MigrationFolder(folder), history, Instant.EPOCH))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        cancelled -> assertThat(cancelled.kind()).isEqualTo(FailureKind.CANCELLED))
                .hasMessage("stopped by a test");
        stopping.join();
        assertThat(cluster.restoredCopies().scratch()).isEmptyDirectory();
    }
}
