package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.InertSession;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PlainServer;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Restores of a server with settings that would harm the source if a copy obeyed them: started as anybody would start
 * them, the copies do nothing to it, and have its data.
 */
class RestoredServerTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final Record FAST =
            RecordBinder.fromMap(BackupSettings.class, Map.of("compression", "zstd:1", "checkpoint", "fast"));
    private static final List<String> TABLES = List.of("in_default", "in_linked");

    /** Each session of the source adds one, where triggers can see logins. */
    private static final String LOGINS = "SELECT count(*) FROM login";

    private final Path directory = TestPostgres.temporaryDirectory("restored-");
    private final Path location = TestPostgres.temporaryDirectory("production-");
    private final Path traces = TestPostgres.temporaryDirectory("traces-");
    private final Path data = directory.resolve("data");
    private final Path linked = directory.resolve("linked elsewhere");

    @AfterEach
    void delete() throws Exception {
        for (Path made : List.of(directory, location, traces)) {
            FileTree.delete(made);
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void a_restored_server_has_the_data_and_does_nothing_to_the_source(int major) throws Exception {
        // Without autovacuum nobody but a restored server could change the source's files.
        try (TestCluster cluster = TestCluster.start(
                major, Map.of("wal_level", "logical", "max_connections", "90", "autovacuum", "off"))) {
            TestPostgres source = cluster.postgres();
            PostgresBinaries binaries = source.server().binaries();
            ServerUser.of(source.dataDirectory()).own(location);
            ServerUser.of(source.dataDirectory()).own(traces);
            prepare(source, major);
            JobRun.of(TYPE, cluster, FAST).attempt().completed();
            source.execute("subscriber", "ALTER SUBSCRIPTION taken DISABLE");
            assertThat(text(source, LOGINS).equals(text(source, LOGINS))).isEqualTo(major < 17);
            await().until(() -> "f".equals(text(source, "SELECT active FROM pg_replication_slots")));
            Map<String, String> rows = rows(source);
            String slot = text(source, "SELECT confirmed_flush_lsn FROM pg_replication_slots");
            source.execute("postgres", "INSERT INTO published SELECT generate_series(101, 200)");
            String oid = text(source, "SELECT oid FROM pg_tablespace WHERE spcname = 'linked'");
            Map<String, String> production = files(location);
            Map<String, Path> places = Map.of(oid, linked);

            // inert

            Restored restored = restore(cluster, new Restore.Destination(data, places, false, false));

            try (PlainServer server = PlainServer.start(data, binaries, source.password())) {
                assertThat(server.port()).isEqualTo(restored.port());
                assertInert(server);
                assertInertSessions(server, source.password(), major);
                assertThat(rows(server)).isEqualTo(rows);
                assertThat(server.text("postgres", "SELECT pg_tablespace_location(" + oid + ")"))
                        .isEqualTo(linked.toString());
                assertThat(server.text("subscriber", "SELECT count(*) FROM published"))
                        .isEqualTo("100");
                assertThat(server.text("postgres", LOGINS)).isEqualTo(server.text("postgres", LOGINS));
                server.execute("postgres", "UPDATE in_linked SET i = i + 1");
                server.execute("postgres", "CREATE TABLE later AS SELECT 1");
                server.execute("postgres", "SELECT pg_switch_wal()");
                server.execute("postgres", "CHECKPOINT");
                assertNothingReached(source, slot);

                NightshiftException running = catchThrowableOfType(
                        NightshiftException.class,
                        () -> restore(cluster, new Restore.Destination(data, Map.of(), true, false)));
                assertThat(running.kind()).isEqualTo(FailureKind.REFUSED);
                assertThat(running).hasMessage("a server runs on " + data);
                assertThat(rows(server)).isNotEqualTo(rows);
            }

            // over what that server has left

            Restored again = restore(cluster, new Restore.Destination(data, Map.of(), true, false));

            assertThat(again.reused()).isGreaterThan(900).isLessThan(again.files());
            if (PostgresVersions.newestOrAll().contains(major)) {
                Path fresh = directory.resolve("fresh");
                restore(
                        cluster,
                        new Restore.Destination(fresh, Map.of(oid, directory.resolve("fresh linked")), false, false));
                assertThat(files(data)).isEqualTo(files(fresh));
                FileTree.delete(fresh);
            }

            // as the replacement, with what would not run here on the command line

            Restored replacement = restore(cluster, new Restore.Destination(data, Map.of(), true, true));

            assertThat(replacement.checklist())
                    .anyMatch(line -> line.startsWith("the old primary is down"))
                    .anyMatch(line -> line.startsWith("replication slots are not in a backup"));
            Map<String, String> elsewhere = new HashMap<>(Map.of("port", Integer.toString(restored.port())));
            elsewhere.put("listen_addresses", "127.0.0.1");
            elsewhere.put("unix_socket_directories", "");
            elsewhere.put("shared_preload_libraries", "");
            elsewhere.put("synchronous_standby_names", "");
            elsewhere.put("max_logical_replication_workers", "0");
            try (PlainServer server = PlainServer.start(data, binaries, source.password(), elsewhere)) {
                assertThat(rows(server)).isEqualTo(rows);
                server.execute("postgres", "SELECT pg_switch_wal()");
                await().until(() -> Files.exists(traces.resolve("archived")));
                assertThat(names(traces)).containsExactly("archived");
            }
            assertThat(files(location)).isEqualTo(production);
        }
    }

    /** What the data themselves do to every session of a database, whatever the server's files say. */
    private static void makeSessionsHostile(TestPostgres source, int major) {
        source.execute(
                "hostile", """
                CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'a trigger of the source has fired'; END $$
                """, "CREATE EVENT TRIGGER refuse_ddl ON ddl_command_start EXECUTE FUNCTION refuse()");
        if (major >= 17) {
            source.execute(
                    "hostile",
                    "CREATE EVENT TRIGGER refuse_login ON login EXECUTE FUNCTION refuse()",
                    "ALTER DATABASE hostile SET event_triggers = on");
        }
        source.execute(
                "postgres",
                "ALTER DATABASE hostile SET session_preload_libraries = 'no_such_library'",
                "ALTER ROLE postgres IN DATABASE hostile SET local_preload_libraries = 'no_such_library_either'");
    }

    /** Settings go into the file only: the source itself does not obey them. */
    private void prepare(TestPostgres source, int major) throws Exception {
        source.execute(
                "postgres",
                "CREATE TABLESPACE linked LOCATION '" + location + "'",
                "CREATE TABLE in_linked TABLESPACE linked AS SELECT i FROM generate_series(1, 10000) i",
                "CREATE INDEX ON in_linked (i)",
                "CREATE TABLE in_default AS SELECT i, md5(i::text) AS text FROM generate_series(1, 10000) i",
                "CREATE TABLE login (at timestamptz)",
                "CREATE TABLE published AS SELECT generate_series(1, 100) AS i",
                "CREATE PUBLICATION published FOR TABLE published",
                "SELECT pg_create_logical_replication_slot('taken', 'pgoutput')",
                "CREATE DATABASE subscriber",
                "CREATE DATABASE hostile");
        makeSessionsHostile(source, major);
        source.execute(
                "subscriber",
                "CREATE TABLE published (i int)",
                "CREATE SUBSCRIPTION taken CONNECTION 'host=127.0.0.1 port=" + source.port() + " dbname=postgres user="
                        + source.username() + " password=" + source.password()
                        + "' PUBLICATION published WITH (create_slot = false)");
        await().until(() -> "100".equals(text(source, "subscriber", "SELECT count(*) FROM published")));
        if (major >= 17) {
            source.execute("postgres", """
                    CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS
                    $$ BEGIN IF NOT pg_is_in_recovery() THEN INSERT INTO login VALUES (now()); END IF; END $$
                    """, "CREATE EVENT TRIGGER on_login ON login EXECUTE FUNCTION on_login()");
            source.execute("postgres", "ALTER EVENT TRIGGER on_login DISABLE", "TRUNCATE login");
            source.execute("postgres", "ALTER EVENT TRIGGER on_login ENABLE");
        }
        Files.writeString(
                source.dataDirectory().resolve("postgresql.conf"),
                "\ndata_directory = '" + source.dataDirectory() + "'\n",
                StandardOpenOption.APPEND);
        String touch = "touch " + traces + "/";
        Files.writeString(
                source.dataDirectory().resolve("postgresql.auto.conf"),
                "archive_mode = 'on'\n"
                        + "archive_command = '" + touch + "archived'\n"
                        + "archive_cleanup_command = '" + touch + "cleaned'\n"
                        + "recovery_end_command = '" + touch + "ended'\n"
                        + "restore_command = '" + touch + "fetched; false'\n"
                        + "recovery_target_xid = '1'\n"
                        + "recovery_min_apply_delay = '1h'\n"
                        + "primary_conninfo = 'host=127.0.0.1 port=" + source.port() + " user=" + source.username()
                        + " password=" + source.password() + "'\n"
                        + "primary_slot_name = 'taken'\n"
                        + "synchronous_standby_names = '*'\n"
                        + "shared_preload_libraries = 'no_such_library'\n"
                        + "listen_addresses = '*'\n"
                        + "port = '" + source.port() + "'\n",
                StandardOpenOption.APPEND);
    }

    private static void assertInert(PlainServer server) throws SQLException {
        Map<String, String> settings = new TreeMap<>();
        try (Connection connection = server.connect("postgres");
                ResultSet row = connection.createStatement().executeQuery("SELECT name, setting FROM pg_settings")) {
            while (row.next()) {
                settings.put(row.getString(1), row.getString(2));
            }
        }
        assertThat(settings)
                .containsEntry("archive_mode", "off")
                .containsEntry("listen_addresses", "localhost")
                .containsEntry("max_logical_replication_workers", "0")
                .containsEntry("max_connections", "90");
        for (String empty : List.of(
                "archive_cleanup_command",
                "recovery_end_command",
                "primary_conninfo",
                "primary_slot_name",
                "synchronous_standby_names",
                "shared_preload_libraries",
                "session_preload_libraries",
                "local_preload_libraries")) {
            assertThat(settings).containsEntry(empty, "");
        }
    }

    private static void assertInertSessions(PlainServer server, String password, int major) throws SQLException {
        assertThat(server.text("postgres", """
                SELECT string_agg(database::text || user_name::text || ' ' || auth_method, ', ') FROM pg_hba_file_rules
                WHERE type = 'local' AND error IS NULL
                """)).isEqualTo("{all}{postgres} trust, {all}{all} scram-sha-256");
        assertThatThrownBy(() -> server.text("hostile", "SELECT 1")).hasMessageContaining("no_such_library");
        Properties inert = new Properties();
        inert.setProperty("user", "postgres");
        inert.setProperty("password", password);
        inert.setProperty("options", InertSession.options(major));
        String url = "jdbc:postgresql://127.0.0.1:" + server.port() + "/hostile?sslmode=disable";
        try (Connection connection = DriverManager.getConnection(url, inert);
                Statement statement = connection.createStatement()) {
            ThrowingCallable ddl = () -> statement.execute("CREATE TABLE made ()");
            if (major >= 17) {
                assertThatCode(ddl).doesNotThrowAnyException();
            } else {
                // As the README says of 15 and 16.
                assertThatThrownBy(ddl).hasMessageContaining("a trigger of the source has fired");
            }
        }
    }

    private void assertNothingReached(TestPostgres source, String slot) throws Exception {
        assertThat(names(traces)).isEmpty();
        assertThat(text(source, "SELECT count(*) FROM pg_stat_replication")).isEqualTo("0");
        assertThat(text(source, "SELECT confirmed_flush_lsn FROM pg_replication_slots"))
                .isEqualTo(slot);
        assertThat(text(source, "SELECT count(*) FROM pg_class WHERE relname = 'later'"))
                .isEqualTo("0");
    }

    private static Restored restore(TestCluster cluster, Restore.Destination destination) {
        RestorableCluster source = RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), cluster.backups(), null);
        RestorePlan plan = source.plan(null, new RestoreTarget.Immediate(), new RestoreTimeline.Latest());
        return new Restore(source.chain(plan), plan, RestorePlan.Action.PROMOTE, source.wal(), destination)
                .run(2, new Progress(), new Cancellation());
    }

    private static String digest(String table) {
        return "SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY t::text)) FROM " + table + " t";
    }

    private static Map<String, String> rows(TestPostgres source) throws SQLException {
        Map<String, String> rows = new TreeMap<>();
        for (String table : TABLES) {
            rows.put(table, text(source, digest(table)));
        }
        return rows;
    }

    private static Map<String, String> rows(PlainServer server) throws SQLException {
        Map<String, String> rows = new TreeMap<>();
        for (String table : TABLES) {
            rows.put(table, server.text("postgres", digest(table)));
        }
        return rows;
    }

    private static String text(TestPostgres source, String sql) throws SQLException {
        return text(source, "postgres", sql);
    }

    private static String text(TestPostgres source, String database, String sql) throws SQLException {
        try (Connection connection = source.connect(database);
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return new ArrayList<>(entries.map(entry -> String.valueOf(entry.getFileName()))
                    .sorted()
                    .toList());
        }
    }

    /** By path a sum of the content of every file below, through links; without the file that names a port. */
    private static Map<String, String> files(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                byte[] content = Files.readAllBytes(file);
                files.put(root.relativize(file).toString(), content.length + " " + Arrays.hashCode(content));
            }
        }
        files.remove("postgresql.conf");
        return files;
    }
}
