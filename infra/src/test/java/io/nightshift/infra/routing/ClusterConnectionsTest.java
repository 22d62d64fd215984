package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.postgres.Capability;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.TcpRelay;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a real primary with a real standby. All servers of the fixture are copies of one, so they are one cluster. */
final class ClusterConnectionsTest {

    private static final DataSize NEAR = DataSize.ofMegabytes(16);
    private static final NodeAddress NOBODY = new NodeAddress("127.0.0.1", 1);

    private static TestPostgres primary;
    private static TestPostgres standby;

    private final List<ClusterConnections> opened = new ArrayList<>();

    @BeforeAll
    static void startTheCluster() throws IOException {
        primary = TestPostgres.start(18);
        standby = TestPostgres.prepare(
                18,
                Map.of(
                        "max_connections",
                        "100",
                        "primary_conninfo",
                        "host=127.0.0.1 port=" + primary.port() + " user=postgres password=" + primary.password()));
        Files.createFile(standby.dataDirectory().resolve("standby.signal"));
        standby.restart();
    }

    @AfterAll
    static void stopTheCluster() {
        standby.close();
        primary.close();
    }

    /** Each would look at its nodes for a minute more, and log in again once a second when they are gone. */
    @AfterEach
    void closeAll() {
        opened.forEach(ClusterConnections::close);
    }

    @Test
    void finds_the_primary_wherever_it_stands_in_the_list() throws SQLException {
        var connections = cluster(address(standby), NOBODY, address(primary));

        try (Connection connection = connections.direct(Intent.PRIMARY, "postgres", "test")) {
            assertThat(portOf(connection)).isEqualTo(primary.port());
        }
        try (ReplicationConnection replication = connections.replication(Intent.PRIMARY, "test")) {
            assertThat(replication.server()).endsWith(":" + primary.port());
        }
    }

    @Test
    void names_itself_to_the_server() throws SQLException {
        try (Connection connection = cluster(address(primary)).direct(Intent.PRIMARY, "postgres", "run 17");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW application_name")) {
            row.next();

            assertThat(row.getString(1)).isEqualTo("nightshift run 17");
        }
    }

    @Test
    void what_a_server_is_gets_asked_once_until_its_settings_are_loaded_anew() {
        var connections = cluster(address(primary), address(standby));
        try {
            ServerFacts before = connections.facts(address(primary), "postgres", "test");
            primary.execute("postgres", "CREATE EXTENSION amcheck");
            ServerFacts kept = connections.facts(address(primary), "postgres", "test");
            primary.execute("postgres", "SELECT pg_reload_conf()");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> connections
                            .facts(address(primary), "postgres", "test")
                            .lack(Capability.AMCHECK)
                            .isEmpty());

            assertThat(kept).isSameAs(before);
            assertThat(before.lack(Capability.AMCHECK)).isPresent();
            assertThat(before.inRecovery()).isFalse();
            assertThat(connections.knownFacts(address(primary), "postgres")).isPresent();
            assertThat(connections.knownFacts(address(standby), "postgres")).isEmpty();
            assertThat(connections.facts(address(standby), "postgres", "test").inRecovery())
                    .isTrue();
        } finally {
            primary.execute("postgres", "DROP EXTENSION IF EXISTS amcheck");
        }
    }

    @Test
    void finds_a_standby_within_its_lag() {
        var connections = cluster(address(primary), address(standby));

        Awaitility.await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            try (Connection connection = connections.direct(new Intent.Standby(NEAR), "postgres", "test")) {
                assertThat(portOf(connection)).isEqualTo(standby.port());
            }
        });
    }

    @Test
    void says_what_it_saw_when_no_node_fits() {
        assertThatThrownBy(() -> cluster(address(primary)).direct(new Intent.Standby(NEAR), "postgres", "test"))
                .hasMessageContaining("cluster chanuka has no node that is a standby at most 16MB behind")
                .hasMessageContaining(address(primary) + " is the primary at");
        assertThatThrownBy(() -> cluster(address(standby)).direct(Intent.PRIMARY, "postgres", "test"))
                .hasMessageContaining("has no node that is a primary")
                .hasMessageContaining(address(standby) + " is a standby at");
    }

    @Test
    void a_lag_without_a_reachable_primary_is_unknown_and_never_nothing() {
        assertThatThrownBy(() -> cluster(NOBODY, address(standby)).direct(new Intent.Standby(NEAR), "postgres", "test"))
                .hasMessageContaining("has no node that is a standby")
                .satisfies(ClusterConnectionsTest::isUnavailable);
    }

    @Test
    void says_how_far_a_standby_is_behind_that_is_beyond_its_lag() {
        var connections = cluster(address(primary), address(standby));
        standby.execute("postgres", "SELECT pg_wal_replay_pause()");
        try {
            primary.execute(
                    "postgres", "SELECT pg_logical_emit_message(false, 'test', repeat('x', 3 << 20))", "CHECKPOINT");

            assertThatThrownBy(
                            () -> connections.direct(new Intent.Standby(DataSize.ofMegabytes(1)), "postgres", "test"))
                    .hasMessageContaining("has no node that is a standby at most 1MB behind")
                    .hasMessageMatching("(?s).* is a standby at \\S+, [3-9]\\.\\d+ MB behind.*");
        } finally {
            standby.execute("postgres", "SELECT pg_wal_replay_resume()");
        }
    }

    @Test
    void takes_no_standby_whose_wal_receiver_does_not_run() throws IOException {
        try (TestPostgres deaf = TestPostgres.prepare(
                18, Map.of("max_connections", "100", "primary_conninfo", "host=127.0.0.1 port=1 user=postgres"))) {
            Files.createFile(deaf.dataDirectory().resolve("standby.signal"));
            deaf.restart();

            assertThatThrownBy(() -> cluster(address(primary), address(deaf))
                            .direct(new Intent.Standby(NEAR), "postgres", "test"))
                    .hasMessageContaining(address(deaf) + " is a standby at ")
                    .hasMessageContaining(" without a running WAL receiver");
        }
    }

    @Test
    void refuses_nodes_of_two_clusters_under_one_name() {
        try (TestPostgres stranger = TestPostgres.start(15)) {
            stranger.execute("postgres", "ALTER ROLE postgres PASSWORD '" + primary.password() + "'");

            assertThatThrownBy(() ->
                            cluster(address(primary), address(stranger)).direct(Intent.PRIMARY, "postgres", "test"))
                    .hasMessageContaining("nodes of cluster chanuka have different system identifiers")
                    .hasMessageContaining(address(stranger) + " has ")
                    .satisfies(failure ->
                            assertThat(((NightshiftException) failure).kind()).isEqualTo(FailureKind.REFUSED));
        }
    }

    @Test
    void prefers_a_standby_and_takes_the_primary_when_there_is_none() throws SQLException {
        try (Connection connection =
                cluster(address(primary)).direct(new Intent.StandbyPreferred(NEAR), "postgres", "test")) {
            assertThat(portOf(connection)).isEqualTo(primary.port());
        }
    }

    @Test
    void refuses_a_cluster_with_two_primaries() {
        try (TestPostgres second = TestPostgres.start(18)) {
            assertThatThrownBy(
                            () -> cluster(address(primary), address(second)).direct(Intent.PRIMARY, "postgres", "test"))
                    .hasMessageContaining("has 2 nodes that claim to be its primary")
                    .satisfies(failure ->
                            assertThat(((NightshiftException) failure).kind()).isEqualTo(FailureKind.REFUSED));
        }
    }

    @Test
    void says_which_node_does_not_answer() {
        assertThatThrownBy(() -> cluster(NOBODY).direct(Intent.PRIMARY, "postgres", "test"))
                .hasMessageContaining("127.0.0.1:1")
                .satisfies(ClusterConnectionsTest::isUnavailable);
    }

    @Test
    void takes_the_password_from_the_password_file(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("pgpass");
        Files.writeString(file, "127.0.0.1:" + primary.port() + ":*:postgres:" + primary.password() + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        var connections =
                opened(config(List.of(address(primary)), null), Passwords.of(Map.of("PGPASSFILE", file.toString())));

        try (Connection connection = connections.direct(Intent.PRIMARY, "postgres", "test")) {
            assertThat(portOf(connection)).isEqualTo(primary.port());
        }
    }

    @Test
    void a_wrong_password_is_for_whoever_configured_it() {
        var connections = opened(config(List.of(address(primary)), new Secret("wrong")), Passwords.of(Map.of()));

        assertThatThrownBy(() -> connections.direct(Intent.PRIMARY, "postgres", "test"))
                .hasMessageContaining("password authentication failed")
                .satisfies(failure -> {
                    assertThat(((NightshiftException) failure).kind()).isEqualTo(FailureKind.CONFIGURATION);
                    assertThat(failure).hasMessageNotContaining("wrong\"");
                });
    }

    @Test
    void refuses_a_pooler_even_behind_address_translation() {
        try (TcpRelay pooler = TcpRelay.pooling(primary.port(), 4711)) {
            var node = new NodeAddress("127.0.0.1", pooler.port());

            for (boolean translated : List.of(false, true)) {
                assertThatThrownBy(() -> cluster(translated, node).direct(Intent.PRIMARY, "postgres", "test"))
                        .hasMessageMatching(
                                node + " of cluster chanuka is a connection pooler: it announced process 4711"
                                        + " for a session that process \\d+ serves")
                        .satisfies(failure -> assertThat(((NightshiftException) failure).kind())
                                .isEqualTo(FailureKind.CONFIGURATION))
                        .satisfies(failure -> assertThat(((NightshiftException) failure).hint())
                                .isEqualTo("name the server's own address and port in nodes of clusters/chanuka.yaml"));
            }
        }
    }

    @Test
    void refuses_a_proxy_unless_the_cluster_is_behind_address_translation() throws SQLException {
        try (TcpRelay relay = TcpRelay.to(primary.port())) {
            var node = new NodeAddress("127.0.0.1", relay.port());

            assertThatThrownBy(() -> cluster(node).direct(Intent.PRIMARY, "postgres", "test"))
                    .hasMessage(node + " of cluster chanuka does not lead straight to a server: it sees itself at "
                            + address(primary))
                    .satisfies(failure -> assertThat(((NightshiftException) failure).hint())
                            .contains("write behind-address-translation: true there"));
            try (Connection connection = cluster(true, node).direct(Intent.PRIMARY, "postgres", "test");
                    ReplicationConnection replication = cluster(true, node).replication(Intent.PRIMARY, "test")) {
                assertThat(portOf(connection)).isEqualTo(primary.port());
                assertThat(replication.show("port")).isEqualTo(Integer.toString(primary.port()));
            }
        }
    }

    @Test
    void refuses_a_proxy_beside_a_good_node() {
        try (TcpRelay relay = TcpRelay.to(standby.port())) {
            var proxied = new NodeAddress("127.0.0.1", relay.port());

            assertThatThrownBy(() -> cluster(address(primary), proxied).direct(Intent.PRIMARY, "postgres", "test"))
                    .hasMessageContaining(proxied + " of cluster chanuka does not lead straight to a server");
        }
    }

    @Test
    void keeps_to_a_node_that_was_chosen() throws SQLException {
        var connections = cluster(address(primary), address(standby));

        try (Connection session = connections.direct(address(standby), "postgres", "test");
                ReplicationConnection replication = connections.replication(address(standby), "test")) {
            assertThat(portOf(session)).isEqualTo(standby.port());
            assertThat(replication.show("port")).isEqualTo(Integer.toString(standby.port()));
        }
    }

    @Test
    void a_listener_that_fails_does_not_end_the_watch_of_a_node() {
        var connections = cluster(address(primary));
        connections.monitor().onLook(look -> {
            throw new IllegalStateException("as it was told");
        });

        for (int look = 0; look < 2; look++) {
            assertThat(connections.monitor().observeNow().primary()).isPresent();
        }
    }

    @Test
    void a_database_that_is_not_there_is_for_whoever_configured_it_and_no_fault_of_the_node() {
        var connections = cluster(address(primary));

        for (int i = 0; i < 6; i++) {
            assertThatThrownBy(() ->
                            connections.pools().read(Intent.PRIMARY, "nosuch", "test", ClusterConnectionsTest::portOf))
                    .hasMessageContaining("database \"nosuch\" does not exist")
                    .satisfies(failure ->
                            assertThat(((NightshiftException) failure).kind()).isEqualTo(FailureKind.CONFIGURATION));
        }

        assertThat(connections.pools().breaker(address(primary))).isEqualTo("closed");
        assertThat(connections.pools().read(Intent.PRIMARY, "postgres", "test", ClusterConnectionsTest::portOf))
                .isEqualTo(primary.port());
    }

    @Test
    void the_server_ends_pooled_work_that_nobody_waits_for() {
        var pools = cluster(address(primary)).pools();

        long reading = pools.read(Intent.PRIMARY, "postgres", "test", ClusterConnectionsTest::statementTimeout);
        long writing = pools.write("postgres", "test", ClusterConnectionsTest::statementTimeout);

        assertThat(List.of(reading, writing))
                .allSatisfy(millis -> assertThat(millis).isBetween(1L, RoutingPools.PATIENCE.toMillis()));
    }

    private static long statementTimeout(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'")) {
            row.next();
            return row.getLong(1);
        }
    }

    @Test
    void whoever_finds_a_pool_busy_waits_and_is_told_so_in_the_end() throws Exception {
        try (NodePool pool = pool()) {
            CountDownLatch begun = new CountDownLatch(4);
            CountDownLatch release = new CountDownLatch(1);
            ExecutorService busy = Executors.newFixedThreadPool(5);
            List<Future<Integer>> working = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                working.add(busy.submit(() -> pool.lend("busy", in(60), (connection, left) -> {
                    begun.countDown();
                    awaitQuietly(release);
                    return portOf(connection);
                })));
            }
            begun.await();

            assertThatThrownBy(() -> pool.lend("fifth", System.nanoTime(), (connection, left) -> portOf(connection)))
                    .hasMessage("sessions of postgres on " + address(primary) + " of cluster chanuka: all 4 are in use")
                    .satisfies(failure -> assertThat(((NightshiftException) failure).kind())
                            .isEqualTo(FailureKind.RESOURCES_EXHAUSTED));
            Future<Integer> patient =
                    busy.submit(() -> pool.lend("sixth", in(60), (connection, left) -> portOf(connection)));
            Awaitility.await().until(() -> pool.lent() == 5);
            release.countDown();

            assertThat(patient.get(1, TimeUnit.MINUTES)).isEqualTo(primary.port());
            for (Future<Integer> each : working) {
                assertThat(each.get(1, TimeUnit.MINUTES)).isEqualTo(primary.port());
            }
            busy.shutdown();
        }
    }

    @Test
    void a_pool_that_was_closed_meanwhile_is_tried_again_and_says_nothing_about_the_node() {
        NodePool pool = pool();
        pool.close();
        NodeBreakers breakers = new NodeBreakers("chanuka");

        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> breakers.call(address(primary), () -> {
                        try {
                            return pool.lend("late", in(60), (connection, left) -> portOf(connection));
                        } catch (SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    }))
                    .hasMessageContaining("are closed: it is no longer what it was")
                    .satisfies(ClusterConnectionsTest::isUnavailable);
        }

        assertThat(breakers.state(address(primary))).isEqualTo("closed");
    }

    private static NodePool pool() {
        return new NodePool(
                new NodeSessions(
                        config(List.of(address(primary)), new Secret(primary.password())), Passwords.of(Map.of())),
                address(primary),
                "postgres",
                "primary");
    }

    private static long in(long seconds) {
        return System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void isUnavailable(Throwable failure) {
        assertThat(((NightshiftException) failure).kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
    }

    private static int portOf(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT inet_server_port()")) {
            row.next();
            return row.getInt(1);
        }
    }

    private static NodeAddress address(TestPostgres server) {
        return new NodeAddress("127.0.0.1", server.port());
    }

    private ClusterConnections cluster(NodeAddress... nodes) {
        return cluster(false, nodes);
    }

    private ClusterConnections cluster(boolean behindAddressTranslation, NodeAddress... nodes) {
        return opened(
                config(behindAddressTranslation, List.of(nodes), new Secret(primary.password())),
                Passwords.of(Map.of()));
    }

    private ClusterConnections opened(ClusterConfig config, Passwords passwords) {
        var connections = new ClusterConnections(config, passwords, Clock.systemUTC());
        opened.add(connections);
        return connections;
    }

    private static ClusterConfig config(List<NodeAddress> nodes, @Nullable Secret password) {
        return config(false, nodes, password);
    }

    private static ClusterConfig config(
            boolean behindAddressTranslation, List<NodeAddress> nodes, @Nullable Secret password) {
        return new ClusterConfig(
                "chanuka",
                nodes,
                "postgres",
                password,
                SslMode.PREFER,
                null,
                null,
                null,
                behindAddressTranslation,
                "postgres",
                DatabaseSelection.ALL,
                Map.of("local", StorageDuty.REQUIRED),
                1,
                Map.of());
    }
}
