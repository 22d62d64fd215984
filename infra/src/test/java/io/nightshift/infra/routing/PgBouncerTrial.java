package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A real PgBouncer in front of a real server. Not run by the build: {@code .ci/extra/pgbouncer} starts it. */
class PgBouncerTrial {

    private static final String PROGRAM = System.getProperty("pgbouncer", "pgbouncer");

    @Test
    void it_is_seen_by_the_process_that_it_announces() throws Exception {
        try (TestPostgres server = TestPostgres.start(18);
                PgBouncer pooler = PgBouncer.start(server, "extra_float_digits,replication")) {
            var node = new NodeAddress("127.0.0.1", pooler.port);

            for (boolean translated : List.of(false, true)) {
                assertThatThrownBy(() -> cluster(node, server, translated).direct(Intent.PRIMARY, "postgres", "test"))
                        .hasMessageMatching(
                                node + " of cluster chanuka is a connection pooler: it announced process -?\\d+"
                                        + " for a session that process \\d+ serves")
                        .satisfies(PgBouncerTrial::isConfiguration);
            }
        }
    }

    @Test
    void a_replication_connection_through_it_is_told_to_name_the_server() throws Exception {
        try (TestPostgres server = TestPostgres.start(18);
                PgBouncer pooler = PgBouncer.start(server, "extra_float_digits")) {
            Properties properties = new Properties();
            properties.setProperty("user", server.username());
            properties.setProperty("password", server.password());
            properties.setProperty("sslmode", "disable");

            assertThatThrownBy(() -> ReplicationConnection.open(
                            "jdbc:postgresql://127.0.0.1:" + pooler.port + "/postgres", properties, "test"))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            failure -> assertThat(failure.hint()).startsWith("name the server's own address and port"));
        }
    }

    private static void isConfiguration(Throwable failure) {
        assertThat(((NightshiftException) failure).kind()).isEqualTo(FailureKind.CONFIGURATION);
    }

    private static ClusterConnections cluster(NodeAddress node, TestPostgres server, boolean translated) {
        return new ClusterConnections(
                new ClusterConfig(
                        "chanuka",
                        List.of(node),
                        server.username(),
                        new Secret(server.password()),
                        SslMode.DISABLE,
                        null,
                        null,
                        null,
                        translated,
                        "postgres",
                        DatabaseSelection.ALL,
                        Map.of("local", StorageDuty.REQUIRED),
                        1,
                        Map.of()),
                Passwords.of(Map.of()),
                Clock.systemUTC());
    }

    private static final class PgBouncer implements AutoCloseable {

        private final Process process;
        private final Path directory;
        private final int port;

        private PgBouncer(Process process, Path directory, int port) {
            this.process = process;
            this.directory = directory;
            this.port = port;
        }

        static PgBouncer start(TestPostgres server, String ignored) throws IOException {
            Path directory = TestPostgres.temporaryDirectory("pgbouncer-");
            int port = freePort();
            Path users = Files.writeString(
                    directory.resolve("users.txt"), "\"" + server.username() + "\" \"" + server.password() + "\"\n");
            Path settings = Files.writeString(
                    directory.resolve("pgbouncer.ini"),
                    String.join(
                            "\n",
                            "[databases]",
                            "* = host=127.0.0.1 port=" + server.port(),
                            "[pgbouncer]",
                            "listen_addr = 127.0.0.1",
                            "listen_port = " + port,
                            "unix_socket_dir =",
                            "auth_type = scram-sha-256",
                            "auth_file = " + users,
                            "ignore_startup_parameters = " + ignored,
                            "pool_mode = session",
                            ""));
            for (Path file : List.of(users, settings)) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
            }
            List<String> command = new ArrayList<>(List.of(PROGRAM));
            if (System.getProperty("user.name").equals("root")) {
                command.addAll(List.of("-u", "nobody"));
            }
            command.add(settings.toString());
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
            PgBouncer pooler = new PgBouncer(process, directory, port);
            Awaitility.await().until(() -> listens(port));
            return pooler;
        }

        private static int freePort() throws IOException {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            }
        }

        private static boolean listens(int port) {
            try (Socket probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return probe.isConnected();
            } catch (IOException notYet) {
                return false;
            }
        }

        @Override
        public void close() throws IOException {
            process.destroy();
            process.onExit().join();
            FileTree.delete(directory);
        }
    }
}
