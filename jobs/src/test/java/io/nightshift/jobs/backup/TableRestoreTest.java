package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Extracted;
import io.nightshift.infra.restore.ExtractedFile;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.TableRestore;
import io.nightshift.infra.restore.TableRestore.Wanted;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PgDump;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGConnection;

/** Tables and databases out of a real backup, loaded back and compared; by COPY always, by pg_dump where there is one. */
class TableRestoreTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final Record FAST =
            RecordBinder.fromMap(TYPE.settings(), Map.of("compression", "zstd:1", "checkpoint", "fast"));
    private static final Pattern COPY = Pattern.compile("\\\\copy (.*) FROM '([^']*)' (WITH .*)");
    private static final String DATABASE = "Bühne 1";
    private static final List<String> TABLES =
            List.of("public.\"a b\"", "\"Ünï.code\".\"quo\"\"te'$(x) `y` %\"", "public.measured", "public.empty");

    private final Path directory = TestPostgres.temporaryDirectory("tables-");
    private final Path location = TestPostgres.temporaryDirectory("tables-space-");
    private final Path out = directory.resolve("out");

    @AfterEach
    void delete() throws Exception {
        FileTree.delete(directory);
        FileTree.delete(location);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void brings_back_what_was_there_and_leaves_nothing_else(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of())) {
            create(cluster.postgres());
            List<String> before = contents(cluster.postgres(), DATABASE);
            breakSessions(cluster.postgres());
            JobRun.of(TYPE, cluster, FAST).attempt().completed();

            Extracted copied = extract(cluster, major, Optional.empty(), wanted(null, TABLES));

            assertThat(copied.dumped()).isFalse();
            assertThat(copied.database()).isEqualTo("Bühne 1");
            assertThat(copied.way()).startsWith("by COPY, rows only: there is no pg_dump " + major);
            assertThat(copied.files()).extracting(ExtractedFile::rows).containsExactly(500L, 3L, 30L, 0L);
            assertThat(names())
                    .containsExactly(
                            "%C3%9Cn%C3%AF%2Ecode.quo%22te%27%24%28x%29%20%60y%60%20%25.copy",
                            "load.sql", "public.a%20b.copy", "public.empty.copy", "public.measured.copy");
            truncate(cluster.postgres());
            load(cluster.postgres());
            assertThat(contents(cluster.postgres(), DATABASE)).isEqualTo(before);
            Optional<PgDump> dump = PgDump.find(major);
            if (dump.isPresent()) {
                dumpsTheSame(cluster, major, dump, before);
            }
            if (major == PostgresVersion.NEWEST_SUPPORTED_MAJOR) {
                refusesWhatIsNotThere(cluster, major);
                isCutOff(cluster, major);
            }
        }
    }

    private void dumpsTheSame(TestCluster cluster, int major, Optional<PgDump> dump, List<String> before)
            throws Exception {
        FileTree.delete(out);
        Extracted dumped = extract(cluster, major, dump, wanted(null, TABLES));

        assertThat(dumped.dumped()).isTrue();
        assertThat(names()).containsExactly("tables.dump");
        cluster.postgres().execute("postgres", "CREATE DATABASE back");
        cluster.postgres().execute("back", "CREATE SCHEMA \"Ünï.code\"");
        pgRestore(cluster.postgres(), dump.orElseThrow(), out.resolve("tables.dump"));
        assertThat(contents(cluster.postgres(), "back")).isEqualTo(before);

        FileTree.delete(out);
        Extracted whole = extract(cluster, major, dump, new Wanted("Bühne 1", List.of()));

        assertThat(whole.files()).hasSize(1);
        assertThat(names()).containsExactly("B%C3%BChne%201.dump");
        cluster.postgres().execute("postgres", "DROP DATABASE back", "CREATE DATABASE back");
        pgRestore(cluster.postgres(), dump.orElseThrow(), out.resolve("B%C3%BChne%201.dump"));
        assertThat(contents(cluster.postgres(), "back")).isEqualTo(before);
    }

    private void refusesWhatIsNotThere(TestCluster cluster, int major) throws Exception {
        FileTree.delete(out);

        assertThatThrownBy(() -> extract(cluster, major, Optional.empty(), wanted(null, List.of("meassured"))))
                .isInstanceOfSatisfying(NightshiftException.class, wrong -> {
                    assertThat(wrong.kind()).isEqualTo(FailureKind.CONFIGURATION);
                    assertThat(wrong.hint()).isEqualTo("did you mean public.measured in database Bühne 1?");
                })
                .hasMessageContaining("no database of the backup has a table meassured; there are Bühne 1, postgres");
        assertThatThrownBy(() -> extract(cluster, major, Optional.empty(), new Wanted("Bühne 2", List.of())))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        wrong -> assertThat(wrong.hint()).isEqualTo("did you mean Bühne 1?"))
                .hasMessageContaining("there is no database Bühne 2 in the backup");
        assertThat(out).doesNotExist();
    }

    private void isCutOff(TestCluster cluster, int major) {
        Progress progress = new Progress();
        Cancellation cancellation = new Cancellation();
        CompletableFuture<Extracted> running = CompletableFuture.supplyAsync(() ->
                restore(cluster, major, Optional.empty()).run(wanted(null, TABLES), out, 2, progress, cancellation));
        await().pollInterval(Duration.ofMillis(5))
                .until(() -> progress.snapshot().step().equals("recover") || running.isDone());

        cancellation.cancel("stopped by a signal");

        assertThatThrownBy(running::join)
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        stopped -> assertThat(stopped.kind()).isEqualTo(FailureKind.CANCELLED));
        assertThat(out).doesNotExist();
    }

    private void create(TestPostgres postgres) {
        ServerUser.of(postgres.dataDirectory()).own(location);
        postgres.execute(
                "postgres", "CREATE TABLESPACE elsewhere LOCATION '" + location + "'", "CREATE DATABASE \"Bühne 1\"");
        postgres.execute(
                "Bühne 1",
                "CREATE TABLE \"a b\" (id int PRIMARY KEY, \"Größe, \"\"x\"\"\" text, twice int GENERATED ALWAYS AS (id * 2) STORED)"
                        + " TABLESPACE elsewhere",
                "INSERT INTO \"a b\" SELECT i, E'tab\\t line\\n back\\\\slash ü ' || i FROM generate_series(1, 500) i",
                "CREATE SCHEMA \"Ünï.code\"",
                "CREATE TABLE \"Ünï.code\".\"quo\"\"te'$(x) `y` %\" (\"col'umn\" bytea)",
                "INSERT INTO \"Ünï.code\".\"quo\"\"te'$(x) `y` %\" VALUES ('\\x00ff0a'), (''), (NULL)",
                "CREATE TABLE empty (id int)",
                "CREATE TABLE measured (at int, value text) PARTITION BY RANGE (at)",
                "CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE measured_2 (value text, gone int, at int)",
                "ALTER TABLE measured_2 DROP COLUMN gone",
                "ALTER TABLE measured ATTACH PARTITION measured_2 FOR VALUES FROM (10) TO (20)",
                "CREATE TABLE measured_3 PARTITION OF measured FOR VALUES FROM (20) TO (30) PARTITION BY LIST (value)",
                "CREATE TABLE measured_3_rest PARTITION OF measured_3 DEFAULT",
                "INSERT INTO measured SELECT i, 'value ' || i FROM generate_series(0, 29) i");
    }

    /** Settings of a database that break every session that obeys them. */
    private static void breakSessions(TestPostgres postgres) {
        postgres.execute(
                "postgres",
                "ALTER DATABASE \"Bühne 1\" SET default_transaction_read_only = on",
                "ALTER DATABASE \"Bühne 1\" SET session_preload_libraries = 'no_such_library'",
                "ALTER DATABASE \"Bühne 1\" SET statement_timeout = 1");
    }

    private static void truncate(TestPostgres postgres) {
        postgres.execute("postgres", "ALTER DATABASE \"Bühne 1\" RESET ALL");
        for (String table : TABLES) {
            postgres.execute("Bühne 1", "TRUNCATE " + table);
        }
    }

    private static List<String> contents(TestPostgres postgres, String database) throws Exception {
        List<String> contents = new ArrayList<>();
        try (Connection connection = postgres.connect(database);
                Statement statement = connection.createStatement()) {
            for (String table : TABLES) {
                try (ResultSet row = statement.executeQuery(
                        "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '-') FROM "
                                + table + " t")) {
                    row.next();
                    contents.add(table + " " + row.getString(1));
                }
            }
        }
        return contents;
    }

    /** As psql does it with load.sql. */
    private void load(TestPostgres postgres) throws Exception {
        try (Connection connection = postgres.connect(DATABASE)) {
            int loaded = 0;
            for (String line : Files.readAllLines(out.resolve("load.sql"))) {
                Matcher copy = COPY.matcher(line);
                if (copy.matches()) {
                    try (InputStream rows = Files.newInputStream(out.resolve(copy.group(2)))) {
                        connection
                                .unwrap(PGConnection.class)
                                .getCopyAPI()
                                .copyIn("COPY " + copy.group(1) + " FROM STDIN " + copy.group(3), rows);
                    }
                    loaded++;
                }
            }
            assertThat(loaded).isEqualTo(TABLES.size());
        }
    }

    private static void pgRestore(TestPostgres postgres, PgDump dump, Path file) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                        dump.program().resolveSibling("pg_restore").toString(),
                        "--exit-on-error",
                        "--no-tablespaces",
                        "--dbname=host=127.0.0.1 port=" + postgres.port() + " user=" + postgres.username()
                                + " dbname=back",
                        file.toString())
                .redirectErrorStream(true);
        builder.environment().put("PGPASSWORD", postgres.password());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private List<String> names() throws Exception {
        try (var files = Files.list(out)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static Wanted wanted(String database, List<String> tables) {
        return new Wanted(database, TableName.parse(String.join(",", tables)));
    }

    private Extracted extract(TestCluster cluster, int major, Optional<PgDump> dump, Wanted wanted) {
        return restore(cluster, major, dump).run(wanted, out, 2, new Progress(), new Cancellation());
    }

    private static TableRestore restore(TestCluster cluster, int major, Optional<PgDump> dump) {
        RestorableCluster source = RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), cluster.backups(), null);
        RestorePlan plan = source.plan(null, new RestoreTarget.Latest(), new RestoreTimeline.Latest());
        return new TableRestore(source.chain(plan), plan, source.wal(), TestPostgres.binaries(major), dump);
    }
}
