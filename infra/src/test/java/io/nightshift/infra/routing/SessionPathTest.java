package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.replication.ClientSide;
import io.nightshift.infra.server.TestPostgres;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SessionPathTest {

    private static SessionPath path(
            String local, String remote, @Nullable String server, @Nullable String client, int announced, int serving) {
        return new SessionPath(
                new ClientSide(end(local), end(remote), announced),
                serving,
                server == null ? null : end(server),
                client == null ? null : end(client));
    }

    private static InetSocketAddress end(String text) {
        int colon = text.lastIndexOf(':');
        return new InetSocketAddress(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.9:40001, 10.0.0.5:5432, 10.0.0.5:5432, 10.0.0.9:40001",
        "127.0.0.1:40001, 127.0.0.1:5432, 127.0.0.1:5432, 127.0.0.1:40001",
        "::1:40001, ::1:5432, ::1:5432, ::1:40001",
        "fd00::9:40001, fd00::5:5432, fd00:0::5:5432, fd00::9:40001",
        "10.0.0.9:40001, 10.0.0.5:5432, ::ffff:10.0.0.5:5432, ::ffff:10.0.0.9:40001",
    })
    void a_straight_way_is_seen_alike_from_both_ends(String local, String remote, String server, String client) {
        var path = path(local, remote, server, client, 17, 17);

        assertThat(path.pooler()).isEmpty();
        assertThat(path.proxy()).isEmpty();
    }

    @Test
    void our_own_address_may_be_translated_on_its_way_out() {
        var path = path("172.17.0.2:40001", "10.0.0.5:5432", "10.0.0.5:5432", "10.0.0.9:61001", 17, 17);

        assertThat(path.proxy()).isEmpty();
    }

    @Test
    void a_server_at_another_port_or_address_is_behind_something() {
        assertThat(path("127.0.0.1:40001", "127.0.0.1:5000", "127.0.0.1:5432", "127.0.0.1:40002", 17, 17)
                        .proxy())
                .contains("it sees itself at 127.0.0.1:5432");
        assertThat(path("10.0.0.9:40001", "10.0.0.4:5432", "10.0.0.5:5432", "10.0.0.4:40002", 17, 17)
                        .proxy())
                .contains("it sees itself at 10.0.0.5:5432");
        assertThat(path("fd00::9:40001", "fd00::4:5432", "fd00::5:5432", "fd00::4:40002", 17, 17)
                        .proxy())
                .contains("it sees itself at [fd00:0:0:0:0:0:0:5]:5432");
    }

    @Test
    void a_tunnel_that_ends_at_the_loopback_address_of_another_machine_is_seen_by_our_port() {
        var path = path("127.0.0.1:40001", "127.0.0.1:5432", "127.0.0.1:5432", "127.0.0.1:51123", 17, 17);

        assertThat(path.proxy()).contains("it sees us at 127.0.0.1:51123, and our socket is 127.0.0.1:40001");
    }

    @Test
    void a_session_on_a_unix_socket_is_not_the_one_that_we_opened() {
        assertThat(path("127.0.0.1:40001", "127.0.0.1:6432", null, null, 17, 17).proxy())
                .contains("it sees the session on a Unix socket");
    }

    @Test
    void a_session_of_another_process_than_announced_comes_from_a_pooler() {
        assertThat(path("127.0.0.1:40001", "127.0.0.1:5432", "127.0.0.1:5432", "127.0.0.1:40001", 99, 17)
                        .pooler())
                .contains("announced process 99 for a session that process 17 serves");
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1", "localhost", "'[::ffff:127.0.0.1]'"})
    void a_real_server_is_reached_straight_under_each_of_its_names(String host) throws Exception {
        try (TestPostgres server = TestPostgres.start(15);
                Connection connection = DriverManager.getConnection(
                        "jdbc:postgresql://" + host + ":" + server.port() + "/postgres",
                        server.username(),
                        server.password())) {
            var path = SessionPath.of(connection);

            assertThat(path.pooler()).isEmpty();
            assertThat(path.proxy()).isEmpty();
        }
    }
}
