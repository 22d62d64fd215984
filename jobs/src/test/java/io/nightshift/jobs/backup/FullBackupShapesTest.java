package io.nightshift.jobs.backup;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.infra.sample.ChanukaWorkload;
import io.nightshift.infra.sample.WorkloadPlan;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clusters of every shape: what is extracted is what the server listed, and a server on it has all of the data. */
class FullBackupShapesTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    /** Slow enough for much to happen meanwhile. */
    private static final BackupSettings SETTINGS = settings("32MB", "sha256");

    private static final BackupSettings UNLIMITED = settings("1GB", "crc32-c");
    private static final int PLAIN_FILES = Effort.of(300, 100_000);
    private static final int LONGEST_PATH = 99;

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void a_cluster_of_every_shape_is_restored_while_everything_changes(int major) throws Exception {
        Path location = TestPostgres.temporaryDirectory("table space\\-");
        try (TestCluster cluster = TestCluster.start(major, Map.of("allow_in_place_tablespaces", "on"))) {
            TestPostgres postgres = cluster.postgres();
            ServerUser.of(postgres.dataDirectory()).own(location);
            createEverything(postgres, location);
            writePlainFiles(postgres.dataDirectory());
            promote(postgres);

            JobRun.Outcome outcome;
            List<Change> changes;
            try (Connection temporary = postgres.connect("postgres");
                    Statement session = temporary.createStatement();
                    ChanukaWorkload workload =
                            ChanukaWorkload.start(() -> postgres.connect("postgres"), WorkloadPlan.everything());
                    Changes changing = Changes.begin(postgres)) {
                session.execute("CREATE TEMPORARY TABLE passing AS SELECT i FROM generate_series(1, 1000) i");
                outcome = JobRun.of(TYPE, cluster, SETTINGS).attempt().completed();
                long rounds = changing.rounds();
                await().until(() -> changing.rounds() > rounds);
                changes = changing.end();
                workload.stop();
            }
            BackupDocument document = cluster.backups().get(0).document().orElseThrow();
            try (ExtractedBackup copy = ExtractedBackup.of(cluster)) {
                assertThat(copy.found()).isEqualTo(copy.listed());
                assertThat(copy.found().keySet())
                        .contains("plain/na\u00efve", new String("plain/gr\u00fcn".getBytes(UTF_8), ISO_8859_1))
                        .contains(longestPath())
                        .hasSizeGreaterThan(PLAIN_FILES);
                for (String unlogged : unlogged(postgres)) {
                    assertThat(Files.exists(copy.data().resolve(unlogged + "_init")))
                            .as(unlogged + "_init")
                            .isTrue();
                    assertThat(Files.exists(copy.data().resolve(unlogged)))
                            .as(unlogged)
                            .isFalse();
                }

                PostgresServer restored = copy.start();

                Lsn replayed = copy.replayed();
                assertThat(replayed).isGreaterThanOrEqualTo(document.startLsn());
                assertThat(changes.stream().filter(change -> change.within(document)))
                        .as("changes during the backup")
                        .isNotEmpty();
                requireEverything(restored);
                requireChanges(restored, changes, replayed);
                requireSound(restored);
            }
            assertThat(outcome.findings()).isEmpty();
            JobReport report = outcome.report();
            assertThat(report.exitStatus()).isZero();
            assertThat(document.timeline().id()).isEqualTo(2);
            cluster.awaitNoTraces();
            Map<String, Figure> figures =
                    report.figures().stream().collect(Collectors.toMap(Figure::name, figure -> figure));
            System.out.printf(
                    "FIGURE every shape, PostgreSQL %d: %s MB, %s files in %s s at 32 MB/s at most, read back in %s s, %d changes"
                            + " during the backup%n",
                    major,
                    figures.get("bytes").value().longValue() >> 20,
                    figures.get("files equal to the manifest").value(),
                    figures.get("streamed in").value(),
                    figures.get("read back from local in").value(),
                    changes.stream().filter(change -> change.within(document)).count());
        } finally {
            FileTree.delete(location);
        }
    }

    /** At full effort rows all through, else a hole up to the last block of the first segment. */
    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void a_table_of_two_segments_is_restored_with_every_row(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("max_wal_size", "4GB"))) {
            TestPostgres postgres = cluster.postgres();
            postgres.execute(
                    "postgres",
                    "CREATE TABLE large (i int, filler text)",
                    "ALTER TABLE large ALTER filler SET STORAGE PLAIN");
            if (Effort.number() < 20) {
                Path file = postgres.dataDirectory()
                        .resolve(texts(postgres.server(), "postgres", "SELECT pg_relation_filepath('large')")
                                .get(0));
                postgres.stop();
                createHole(file, 1L << 30);
                postgres.restart();
            }
            // Sizes from 8 GiB on are written in another way into a tar.
            long plain = Effort.number() == 20 && major == 18 ? (8L << 30) + 1 : (1L << 20) + 1;
            createHole(postgres.dataDirectory().resolve("plain"), plain);
            int rows = Effort.number() < 20 ? 1_000 : 160_000;
            postgres.execute(
                    "postgres",
                    "INSERT INTO large SELECT i, repeat(md5(i::text), 210) FROM generate_series(1, " + rows + ") i",
                    "CHECKPOINT");
            String digest =
                    "SELECT count(*) || ' ' || sum(hashtext(filler)::bigint) || ' ' || (max(ctid) >= '(131072,1)')"
                            + " FROM large";
            List<String> written = texts(postgres.server(), "postgres", digest);

            Map<String, Figure> figures =
                    JobRun.of(TYPE, cluster, UNLIMITED).attempt().completed().report().figures().stream()
                            .collect(Collectors.toMap(Figure::name, figure -> figure));

            List<String> restored;
            try (ExtractedBackup copy = ExtractedBackup.of(cluster)) {
                assertThat(copy.data().resolve("plain")).hasSize(plain);
                restored = texts(copy.start(), "postgres", digest);
            }
            assertThat(written).singleElement().asString().endsWith(" true");
            assertThat(restored).isEqualTo(written);
            System.out.printf(
                    "FIGURE two segments, PostgreSQL %d: %s MB streamed in %s s, read back in %s s%n",
                    major,
                    figures.get("bytes").value().longValue() >> 20,
                    figures.get("streamed in").value(),
                    figures.get("read back from local in").value());
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void a_name_that_is_too_long_for_the_server_s_tar_is_told_with_the_way_out(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of())) {
            String longer = longestPath().substring("plain/".length()) + "l";
            Path folder =
                    Files.createDirectory(cluster.postgres().dataDirectory().resolve("plain"));
            Files.createFile(folder.resolve(longer));
            ServerUser.of(cluster.postgres().dataDirectory()).own(folder);

            var failed = JobRun.of(TYPE, cluster, UNLIMITED).attempt().failed();

            assertThat(failed.kind()).isEqualTo(FailureKind.CONFIGURATION);
            assertThat(failed.getMessage()).endsWith(": file name too long for tar format: \"plain/" + longer + "\"");
            assertThat(failed.hint())
                    .isEqualTo("PostgreSQL itself makes no such names: move the file out of the server's directories,"
                            + " or shorten it");
            assertThat(cluster.backups()).isEmpty();
        }
    }

    // what there is before the backup begins

    private static void createEverything(TestPostgres postgres, Path location) throws SQLException {
        try (Connection connection = postgres.connect("postgres")) {
            new ChanukaSample().create(connection, 0.05, new Progress());
        }
        postgres.execute(
                "postgres",
                "CREATE DATABASE \"Grüße aus Köln\"",
                "CREATE TABLESPACE linked LOCATION '" + location + "'",
                "CREATE TABLESPACE inplace LOCATION ''",
                "CREATE DATABASE moved TABLESPACE linked",
                "CREATE UNLOGGED TABLE volatile (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, i int)",
                "CREATE UNLOGGED TABLE volatile_elsewhere TABLESPACE linked AS SELECT i FROM generate_series(1, 1000) i",
                "INSERT INTO volatile (i) SELECT i FROM generate_series(1, 1000) i",
                "CREATE TABLE truncated (round bigint)",
                "CREATE TABLE rewritten AS SELECT i FROM generate_series(1, 2000) i");
        for (String database : List.of("postgres", "moved", "Grüße aus Köln")) {
            postgres.execute(
                    database,
                    "CREATE TABLE in_linked TABLESPACE linked AS SELECT i, 'x' || i AS t FROM generate_series(1, 1000) i",
                    "CREATE INDEX in_inplace_index ON in_linked (t) TABLESPACE inplace",
                    "CREATE TABLE in_inplace TABLESPACE inplace AS SELECT i FROM generate_series(1, 1000) i");
        }
    }

    /** The longest name that a tar of the server's may have; names that are UTF-8, and that are not; many. */
    private static void writePlainFiles(Path data) throws Exception {
        String script = """
                cd "$0" && mkdir plain && cd plain && umask 022
                printf 'one' > $'na\\xefve'
                printf 'two' > $'gr\\xc3\\xbcn'
                printf 'three' > "$1"
                for ((i = 0; i < $2; i++)); do echo $i > file-$i; done
                """;
        Process writing = new ProcessBuilder(
                        "bash",
                        "-c",
                        script,
                        data.toString(),
                        longestPath().substring("plain/".length()),
                        Integer.toString(PLAIN_FILES))
                .inheritIO()
                .start();
        assertThat(writing.waitFor()).isZero();
        ServerUser.of(data).own(data.resolve("plain"));
    }

    /** Only zeros, which take no room; beyond what the file has already. */
    private static void createHole(Path file, long size) throws IOException {
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(size);
        }
        ServerUser.of(file.getParent()).own(file);
    }

    private static String longestPath() {
        return "plain/" + "l".repeat(LONGEST_PATH - "plain/".length());
    }

    /** Timeline 2: a server that was a standby for a moment. */
    private static void promote(TestPostgres postgres) throws IOException {
        postgres.stop();
        Path signal = Files.createFile(postgres.dataDirectory().resolve("standby.signal"));
        ServerUser.of(postgres.dataDirectory()).own(signal);
        postgres.restart();
        postgres.execute("postgres", "SELECT pg_promote()");
    }

    /** The files of unlogged relations, below the data directory; not those in tablespaces elsewhere. */
    private static List<String> unlogged(TestPostgres postgres) throws SQLException {
        List<String> files = texts(
                postgres.server(),
                "postgres",
                "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relpersistence = 'u' AND relname LIKE 'volatile%'"
                        + " AND reltablespace = 0");
        assertThat(files).hasSizeGreaterThanOrEqualTo(2);
        return files;
    }

    // what must be there afterwards

    private static void requireEverything(PostgresServer restored) throws SQLException {
        for (String database : List.of("postgres", "moved", "Grüße aus Köln")) {
            assertThat(texts(restored, database, "SELECT count(*) || ' ' || sum(i) FROM in_linked"))
                    .containsExactly("1000 500500");
            assertThat(texts(restored, database, "SELECT count(*) || ' ' || sum(i) FROM in_inplace"))
                    .containsExactly("1000 500500");
        }
        assertThat(texts(
                        restored,
                        "postgres",
                        "SELECT (SELECT count(*) FROM volatile) + (SELECT count(*) FROM volatile_elsewhere)"))
                .as("rows of unlogged tables")
                .containsExactly("0");
        assertThat(texts(restored, "postgres", "INSERT INTO volatile (i) VALUES (7) RETURNING i"))
                .containsExactly("7");
        assertThat(texts(restored, "postgres", "SELECT count(*) || ' ' || sum(i) FROM rewritten"))
                .containsExactly("2000 2001000");
        assertThat(texts(restored, "postgres", "SELECT timeline_id FROM pg_control_checkpoint()"))
                .containsExactly("2");
    }

    private static void requireChanges(PostgresServer restored, List<Change> changes, Lsn replayed)
            throws SQLException {
        Map<String, Boolean> expected = new HashMap<>();
        Set<String> unknown = new HashSet<>();
        for (Change change : changes) {
            if (!replayed.isBefore(change.after())) {
                expected.put(change.what(), change.there());
            } else if (replayed.isBefore(change.before())) {
                expected.putIfAbsent(change.what(), !change.there());
            } else {
                unknown.add(change.what());
            }
        }
        expected.keySet().removeAll(unknown);
        List<String> found = texts(restored, "postgres", """
                SELECT 'database ' || datname FROM pg_database
                UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relkind = 'r'
                UNION ALL SELECT DISTINCT 'round ' || round FROM truncated
                """);
        List<String> wrong = new ArrayList<>();
        expected.forEach((what, there) -> {
            if (found.contains(what) != there) {
                wrong.add(what + (there ? " is missing" : " should not be there"));
            }
        });
        assertThat(expected).isNotEmpty();
        assertThat(wrong).isEmpty();
        assertThat(texts(restored, "postgres", "SELECT count(*) % 100 FROM truncated"))
                .containsExactly("0");
        for (String line : found) {
            // Not one whose DROP was under way: it is marked as invalid first.
            if (line.startsWith("database born_") && expected.getOrDefault(line, false)) {
                assertThat(texts(restored, line.substring("database ".length()), "SELECT count(*) > 300 FROM pg_class"))
                        .containsExactly("t");
            }
        }
    }

    /** Every page of every table is read, with its checksum, and every index has every row. */
    private static void requireSound(PostgresServer restored) throws SQLException {
        for (String database : List.of("postgres", "moved", "Grüße aus Köln")) {
            texts(restored, database, "CREATE EXTENSION IF NOT EXISTS amcheck");
            assertThat(texts(restored, database, """
                            SELECT c.oid::regclass || ': ' || msg
                              FROM pg_class AS c, LATERAL verify_heapam(c.oid) AS damage
                             WHERE relkind IN ('r', 't', 'm') AND relpersistence = 'p'
                            """)).isEmpty();
            assertThat(texts(restored, database, """
                            SELECT bt_index_check(c.oid, true)
                              FROM pg_class AS c JOIN pg_am AS a ON a.oid = relam AND amname = 'btree'
                             WHERE relkind = 'i' AND relpersistence = 'p'
                            """)).isNotEmpty();
        }
    }

    private static List<String> texts(PostgresServer server, String database, String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            List<String> values = new ArrayList<>();
            if (statement.execute(sql)) {
                try (ResultSet row = statement.getResultSet()) {
                    while (row.next()) {
                        values.add(row.getString(1));
                    }
                }
            }
            return values;
        }
    }

    private static BackupSettings settings(String maxRate, String checksum) {
        return RecordBinder.fromMap(
                BackupSettings.class,
                Map.of(
                        "compression",
                        "zstd:1",
                        "compression-threads",
                        2,
                        "checkpoint",
                        "fast",
                        "manifest-checksum",
                        checksum,
                        "max-rate",
                        maxRate));
    }
}
