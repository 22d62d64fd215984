package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PostgresServerTest {

    private static final int NEWEST = PostgresVersion.NEWEST_SUPPORTED_MAJOR;

    /** No test here takes the power away. */
    private static final Map<String, String> FAST = Map.of("fsync", "off");

    /** For tests that only look. */
    private static final Servers SERVERS = new Servers(Map.of());

    private final Path directory = TestPostgres.temporaryDirectory("server-");

    /** Initialises a cluster and, if a crash point is named, dies half-way. */
    static final class Initialiser {

        public static void main(String[] arguments) {
            PostgresServer.initialise(Path.of(arguments[0]), TestPostgres.binaries(NEWEST), "--no-sync");
        }
    }

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    @AfterEach
    void leaveNothingBehind() throws IOException {
        FileTree.delete(directory);
    }

    private static String ask(PostgresServer server, String question) throws SQLException {
        try (Connection connection = server.connect("postgres");
                ResultSet row = connection.createStatement().executeQuery(question)) {
            row.next();
            return row.getString(1);
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void recovers_by_itself_after_kill_9_and_keeps_its_port(int major) throws Exception {
        try (var postgres = TestPostgres.start(major)) {
            postgres.execute("postgres", "CREATE TABLE kept AS SELECT 42 AS answer");
            int port = postgres.port();

            postgres.kill();
            assertThat(postgres.server().isRunning()).isFalse();
            assertThat(PostmasterFile.of(postgres.dataDirectory())).exists();
            postgres.server().start(FAST);

            assertThat(ask(postgres.server(), "SELECT answer FROM kept")).isEqualTo("42");
            assertThat(postgres.port()).isEqualTo(port);
        }
    }

    @Test
    void removes_a_busy_backend_that_outlived_its_killed_postmaster_before_it_starts_again() throws Exception {
        try (var postgres = TestPostgres.start(NEWEST);
                Connection busy = postgres.connect("postgres")) {
            long orphan = busy.unwrap(org.postgresql.PGConnection.class).getBackendPID();
            var threads = Executors.newSingleThreadExecutor();
            Future<Boolean> endless =
                    threads.submit(() -> busy.createStatement().execute("DO $$ BEGIN LOOP END LOOP; END $$"));
            await().until(
                            () -> ask(
                                    postgres.server(),
                                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $$%'"),
                            "1"::equals);
            long postmaster =
                    PostmasterFile.read(postgres.dataDirectory()).orElseThrow().pid();

            ProcessHandle.of(postmaster).orElseThrow().destroyForcibly();
            await().until(() -> !postgres.server().isRunning());
            assertThat(ServerProcesses.isOf(postgres.dataDirectory(), orphan)).isTrue();
            postgres.server().start(FAST);

            assertThat(ServerProcesses.isOf(postgres.dataDirectory(), orphan)).isFalse();
            assertThat(ask(postgres.server(), "SELECT 1")).isEqualTo("1");
            assertThatThrownBy(endless::get).hasRootCauseInstanceOf(IOException.class);
            threads.shutdown();
        }
    }

    @Test
    void is_not_taken_for_running_when_its_process_number_went_to_another_program() throws Exception {
        try (var postgres = TestPostgres.start(NEWEST)) {
            postgres.kill();
            Path file = PostmasterFile.of(postgres.dataDirectory());
            List<String> lines = Files.readAllLines(file);
            lines.set(0, Long.toString(ProcessHandle.current().pid()));
            Files.write(file, lines);

            boolean before = postgres.server().isRunning();
            postgres.server().start(FAST);

            assertThat(before).isFalse();
            assertThat(ask(postgres.server(), "SHOW data_directory"))
                    .isEqualTo(postgres.dataDirectory().toString());
        }
    }

    @Test
    void starts_although_a_full_disk_left_an_empty_postmaster_file() throws Exception {
        try (var postgres = TestPostgres.start(NEWEST)) {
            postgres.kill();
            Files.writeString(PostmasterFile.of(postgres.dataDirectory()), "");

            postgres.server().start(FAST);

            assertThat(ask(postgres.server(), "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void lets_one_of_two_starters_win_and_tells_the_other() throws Exception {
        try (var postgres = TestPostgres.prepare(NEWEST, Map.of())) {
            var together = new CyclicBarrier(2);
            Callable<String> starter = () -> {
                var mine = PostgresServer.open(
                        postgres.dataDirectory(), postgres.server().binaries());
                together.await();
                try {
                    mine.start(FAST);
                    return "started";
                } catch (NightshiftException e) {
                    return e.kind() + " " + e.getMessage();
                }
            };
            var threads = Executors.newFixedThreadPool(2);

            List<Future<String>> outcomes = List.of(threads.submit(starter), threads.submit(starter));

            assertThat(List.of(outcomes.get(0).get(), outcomes.get(1).get()))
                    .containsOnlyOnce("started")
                    .anyMatch(outcome -> outcome.matches("REFUSED a server already runs on " + postgres.dataDirectory()
                            + ": process \\d+, port " + postgres.port()));
            threads.shutdown();
        }
    }

    @Test
    void runs_in_a_session_of_its_own_and_as_no_root() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        long pid = PostmasterFile.read(postgres.dataDirectory()).orElseThrow().pid();

        Command.Outcome session =
                Command.run(List.of("ps", "-o", "sid=,uid=", "-p", Long.toString(pid)), Duration.ofSeconds(10));

        assertThat(session.lastLine()).matches(pid + "\\s+[1-9]\\d*");
    }

    @Test
    void lets_in_who_knows_the_password_and_nobody_else() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        Path password = PostgresServer.beside(postgres.dataDirectory(), ".password");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(password)))
                .isEqualTo("rw-------");
        assertThatThrownBy(() -> DriverManager.getConnection(postgres.url("postgres"), "postgres", "guess"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
        assertThat(ask(
                        postgres.server(),
                        "SELECT string_agg(DISTINCT type || ' ' || auth_method, ', ') FROM pg_hba_file_rules"))
                .isEqualTo("host scram-sha-256");
        assertThat(ask(postgres.server(), "SHOW listen_addresses")).isEqualTo("127.0.0.1");
        assertThat(ask(postgres.server(), "SHOW unix_socket_directories")).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void initialises_with_checksums_and_utf8(int major) throws Exception {
        TestPostgres postgres = SERVERS.of(major);
        assertThat(ask(postgres.server(), "SHOW data_checksums")).isEqualTo("on");
        assertThat(ask(postgres.server(), "SHOW server_encoding")).isEqualTo("UTF8");
        assertThat(ask(postgres.server(), "SHOW lc_messages")).startsWith("C");
    }

    @Test
    void passes_settings_as_they_are() throws Exception {
        String awkward = "it's a \"name\" with $HOME, `id` and \\";
        try (var postgres = TestPostgres.start(NEWEST, Map.of("cluster_name", awkward))) {
            assertThat(ask(postgres.server(), "SHOW cluster_name")).isEqualTo(awkward);
        }
    }

    @Test
    void shows_the_log_when_a_setting_is_wrong_and_leaves_nothing_running() {
        try (var postgres = TestPostgres.prepare(NEWEST, Map.of())) {
            assertThatThrownBy(() -> postgres.server().start(Map.of("max_connections", "many")))
                    .isInstanceOfSatisfying(
                            NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.CONFIGURATION))
                    .hasMessageContaining("PostgreSQL on " + postgres.dataDirectory() + " did not start:\n")
                    .hasMessageContaining("invalid value for parameter \"max_connections\": \"many\"");

            assertThat(ServerProcesses.of(postgres.dataDirectory())).isEmpty();
        }
    }

    @Test
    void says_that_the_data_are_damaged_when_the_control_file_is() throws Exception {
        try (var postgres = TestPostgres.prepare(NEWEST, Map.of())) {
            Path control = postgres.dataDirectory().resolve("global/pg_control");
            byte[] bytes = Files.readAllBytes(control);
            bytes[40] ^= 1;
            Files.write(control, bytes);

            assertThatThrownBy(() -> postgres.server().start(Map.of()))
                    .isInstanceOfSatisfying(
                            NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                    .hasMessageContaining("incorrect checksum in control file");
        }
    }

    @Test
    void takes_another_port_when_its_last_one_is_taken() throws Exception {
        try (var postgres = TestPostgres.start(NEWEST)) {
            int last = postgres.port();
            postgres.stop();

            try (var occupant = new ServerSocket(last, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
                postgres.server().start(FAST);

                assertThat(postgres.port()).isNotEqualTo(occupant.getLocalPort());
                assertThat(ask(postgres.server(), "SELECT 1")).isEqualTo("1");
            }
        }
    }

    @Test
    void refuses_a_port_that_was_asked_for_and_is_taken() throws Exception {
        try (var postgres = TestPostgres.prepare(NEWEST, Map.of());
                var occupant = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            String port = Integer.toString(occupant.getLocalPort());

            assertThatThrownBy(() -> postgres.server().start(Map.of("port", port)))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            e -> assertThat(e.hint()).contains("see what listens on the port"))
                    .hasMessageContaining("Address already in use");
        }
    }

    @Test
    void does_not_take_a_program_that_stands_in_the_data_directory_for_one_of_its_own() throws Exception {
        try (var postgres = TestPostgres.start(NEWEST)) {
            Process bystander = new ProcessBuilder("sleep", "600")
                    .directory(postgres.dataDirectory().toFile())
                    .start();

            postgres.kill();
            postgres.server().start(FAST);
            postgres.server().stop();

            assertThat(bystander.isAlive()).isTrue();
            bystander.destroy();
        }
    }

    @Test
    void stops_although_its_caller_was_interrupted() {
        try (var postgres = TestPostgres.start(NEWEST)) {
            Thread.currentThread().interrupt();
            postgres.server().stop();

            assertThat(Thread.interrupted()).isTrue();
            assertThat(postgres.server().isRunning()).isFalse();
        }
    }

    @Test
    void runs_on_files_that_the_caller_has_put_there_himself() throws Exception {
        try (var postgres = TestPostgres.prepare(NEWEST, Map.of())) {
            Path copy = directory.resolve("copy");
            Command.run(
                    List.of("cp", "-r", postgres.dataDirectory().toString(), copy.toString()), Duration.ofMinutes(1));
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwx------"));
            Files.copy(
                    PostgresServer.beside(postgres.dataDirectory(), ".password"),
                    PostgresServer.beside(copy, ".password"));
            var server = PostgresServer.open(copy, postgres.server().binaries());

            server.start(FAST);
            String answer = ask(server, "SHOW data_directory");
            server.stop();

            assertThat(answer).isEqualTo(copy.toString());
        }
    }

    @Test
    void says_what_is_in_the_way_of_its_directory() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));

        assertThatThrownBy(() -> PostgresServer.initialise(file.resolve("data"), TestPostgres.binaries(NEWEST)))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.CONFIGURATION))
                .hasMessage(file + " is not a directory");
        assertThatThrownBy(() -> PostgresServer.initialise(directory.resolve("$HOME"), TestPostgres.binaries(NEWEST)))
                .hasMessageContaining("has a character in its path that pg_ctl cannot pass on");
    }

    @Test
    void stops_even_a_server_that_does_not_listen_to_signals() {
        try (var postgres = TestPostgres.start(NEWEST)) {
            postgres.freeze();

            postgres.server().stop(Duration.ofSeconds(1));

            assertThat(postgres.server().isRunning()).isFalse();
            assertThat(ServerProcesses.of(postgres.dataDirectory())).isEmpty();
        }
    }

    @Test
    void does_not_touch_a_directory_that_is_not_ours() throws Exception {
        Path data = Files.createDirectory(directory.resolve("data"));
        Files.writeString(data.resolve("thesis.txt"), "ten years");

        assertThatThrownBy(() -> PostgresServer.initialise(data, TestPostgres.binaries(NEWEST)))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.CONFIGURATION))
                .hasMessage(data + " is not empty, and what it holds (thesis.txt) is not ours");
        assertThatThrownBy(() -> PostgresServer.open(data, TestPostgres.binaries(NEWEST)))
                .hasMessage(data + " is not the data directory of a PostgreSQL cluster: it has no file PG_VERSION");

        assertThat(data.resolve("thesis.txt")).hasContent("ten years");
        assertThat(Files.getAttribute(data, "unix:uid")).isEqualTo(Files.getAttribute(directory, "unix:uid"));
    }

    @Test
    void refuses_the_data_directory_of_another_major_version() {
        try (var old = TestPostgres.prepare(15, Map.of())) {
            assertThatThrownBy(() -> PostgresServer.open(old.dataDirectory(), TestPostgres.binaries(NEWEST)))
                    .hasMessage("data directory " + old.dataDirectory()
                            + " is of PostgreSQL 15, the server would be of " + NEWEST);
        }
    }

    @Test
    void begins_afresh_after_an_initialisation_that_was_killed_half_way() throws Exception {
        Path data = directory.resolve("data");
        try (var killed = ChildJvm.start(
                Initialiser.class, Map.of("NIGHTSHIFT_CRASH_AT", "server.initialise.before-rename"), data.toString())) {
            assertThat(killed.exitStatus()).as(killed.toString()).isEqualTo(137);
        }
        assertThat(data).doesNotExist();
        assertThat(names()).anyMatch(name -> name.startsWith(".data.initdb-"));

        var server = PostgresServer.openOrInitialise(data, TestPostgres.binaries(NEWEST));
        server.start(FAST);
        String answer = ask(server, "SELECT 1");
        server.stop();

        assertThat(answer).isEqualTo("1");
        assertThat(names()).containsExactlyInAnyOrder("data", "data.lock", "data.log", "data.password");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }
}
