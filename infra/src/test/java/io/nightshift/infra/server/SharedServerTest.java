package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.PostgresVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SharedServerTest {

    /** Has its cluster already: the tests need not wait for initdb. */
    private final TestPostgres prepared = TestPostgres.prepare(PostgresVersion.NEWEST_SUPPORTED_MAJOR, Map.of());

    private final Path directory = prepared.dataDirectory().resolveSibling("");
    private final Path fresh = directory.resolve("fresh");

    /** Joins, says so, and leaves when it is told to, or by Ctrl-C. */
    static final class User {

        public static void main(String[] arguments) throws IOException {
            var shared = join(Path.of(arguments[0]));
            Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
            System.out.println("joined " + postmaster(shared.server()));
            int end = System.in.read();
            System.out.println("leaving after " + end);
        }
    }

    private static SharedServer join(Path directory) {
        return SharedServer.join(
                directory, () -> TestPostgres.binaries(PostgresVersion.NEWEST_SUPPORTED_MAJOR), Map.of("fsync", "off"));
    }

    private static long postmaster(PostgresServer server) {
        return PostmasterFile.read(server.dataDirectory()).orElseThrow().pid();
    }

    private boolean isRunning() {
        return isRunning(directory);
    }

    private static boolean isRunning(Path directory) {
        Path data = directory.resolve("data");
        return PostmasterFile.read(data)
                .filter(file -> ServerProcesses.isOf(data, file.pid()))
                .isPresent();
    }

    @AfterEach
    void leaveNothingBehind() {
        ServerProcesses.kill(fresh.resolve("data"), Duration.ofSeconds(20));
        prepared.close();
    }

    @Test
    void is_started_once_by_three_processes_and_stopped_by_the_last_one_out_though_one_was_killed() {
        List<ChildJvm> users = IntStream.range(0, 3)
                .mapToObj(number -> ChildJvm.start(User.class, fresh.toString()))
                .toList();
        try {
            List<String> joined =
                    users.stream().map(user -> user.awaitLine("joined")).toList();

            assertThat(joined.stream().distinct()).hasSize(1);

            users.get(0).kill();
            users.get(1).send("leave");
            assertThat(users.get(1).exitStatus()).isZero();
            assertThat(isRunning(fresh)).isTrue();

            users.get(2).send("leave");
            assertThat(users.get(2).exitStatus()).isZero();
            assertThat(isRunning(fresh)).isFalse();
        } finally {
            users.forEach(ChildJvm::close);
        }
    }

    @Test
    void outlives_a_killed_only_user_and_is_used_and_stopped_by_the_next() {
        String first;
        try (ChildJvm user = ChildJvm.start(User.class, directory.toString())) {
            first = user.awaitLine("joined");
            user.kill();
        }
        assertThat(isRunning()).isTrue();

        var next = join(directory);
        String second = "joined " + postmaster(next.server());
        next.close();

        assertThat(second).isEqualTo(first);
        assertThat(isRunning()).isFalse();
    }

    @Test
    void is_not_hit_by_ctrl_c_at_one_of_its_users() {
        try (ChildJvm interrupted = ChildJvm.start(User.class, directory.toString())) {
            interrupted.awaitLine("joined");
            var other = join(directory);
            long postmaster = postmaster(other.server());

            interrupted.interruptGroup();
            interrupted.exitStatus();

            assertThat(isRunning()).isTrue();
            assertThat(postmaster(other.server())).isEqualTo(postmaster);
            other.close();
            assertThat(isRunning()).isFalse();
        }
    }

    @Test
    void comes_back_on_its_port_when_it_died_under_somebody_who_asks_now_and_then() throws Exception {
        try (var shared = join(directory)) {
            long died = postmaster(shared.server());
            int port = shared.server().port();
            new ProcessBuilder("kill", "-KILL", Long.toString(died)).start().waitFor();
            await().until(() -> !shared.server().isRunning());

            shared.ensureRunning();

            assertThat(postmaster(shared.server())).isNotEqualTo(died);
            assertThat(shared.server().port()).isEqualTo(port);
        }
    }

    @Test
    void keeps_its_data_password_and_port_between_uses() throws Exception {
        int port;
        try (var shared = join(directory);
                Connection connection = shared.server().connect("postgres")) {
            connection.createStatement().execute("CREATE TABLE kept AS SELECT 42 AS answer");
            port = shared.server().port();
        }

        try (var shared = join(directory);
                Connection connection = shared.server().connect("postgres");
                ResultSet row = connection.createStatement().executeQuery("SELECT answer FROM kept")) {
            row.next();

            assertThat(row.getInt(1)).isEqualTo(42);
            assertThat(shared.server().port()).isEqualTo(port);
        }
    }

    @Test
    void counts_the_users_within_one_process() {
        var first = join(directory);
        var second = join(directory);

        first.close();
        first.close();
        assertThat(isRunning()).isTrue();

        second.close();
        assertThat(isRunning()).isFalse();
    }

    @Test
    void exists_from_the_first_use_on() {
        assertThat(SharedServer.exists(fresh)).isFalse();

        var shared = join(fresh);

        assertThat(SharedServer.exists(fresh)).isTrue();
        shared.close();
        assertThat(SharedServer.exists(fresh)).isTrue();
    }

    @Test
    void needs_no_binaries_where_it_runs_already() {
        var first = join(directory);

        var second = SharedServer.join(
                directory,
                () -> {
                    throw new AssertionError("the binaries were asked for");
                },
                Map.of());

        assertThat(postmaster(second.server())).isEqualTo(postmaster(first.server()));
        second.close();
        first.close();
    }

    @Test
    void stops_even_when_the_closing_thread_was_interrupted() {
        var shared = join(directory);

        Thread.currentThread().interrupt();
        shared.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(isRunning()).isFalse();
    }

    @Test
    void is_started_again_for_the_next_one_in_when_it_crashed_under_its_users() {
        var first = join(directory);
        int port = first.server().port();
        ServerProcesses.kill(directory.resolve("data"), Duration.ofSeconds(20));

        var second = join(directory);

        assertThat(isRunning()).isTrue();
        assertThat(second.server().port()).isEqualTo(port);
        first.close();
        second.close();
        assertThat(isRunning()).isFalse();
    }
}
