package io.nightshift.infra.routing;

import io.nightshift.infra.replication.ClientSide;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A session as both of its sides see it. Where they disagree, something stands in between.
 *
 * @param ours our side
 * @param serving the process that serves it, as it says itself
 * @param server where it sees itself reached; null on a Unix socket
 * @param client where it sees us; null on a Unix socket
 */
record SessionPath(
        ClientSide ours,
        int serving,
        @Nullable InetSocketAddress server,
        @Nullable InetSocketAddress client) {

    static SessionPath of(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT pg_backend_pid(), host(inet_server_addr()), inet_server_port(),
                               host(inet_client_addr()), inet_client_port()
                        """)) {
            row.next();
            return new SessionPath(
                    ClientSide.of(connection),
                    row.getInt(1),
                    address(row.getString(2), row.getInt(3)),
                    address(row.getString(4), row.getInt(5)));
        }
    }

    /** A pooler answers logins itself, and lends sessions of the server that it has opened before. */
    Optional<String> pooler() {
        return ours.announcedPid() == serving
                ? Optional.empty()
                : Optional.of("announced process " + ours.announcedPid() + " for a session that process " + serving
                        + " serves");
    }

    /** A proxy or a load balancer has a connection of its own to the server; address translation looks the same. */
    Optional<String> proxy() {
        if (server == null) {
            return Optional.of("it sees the session on a Unix socket");
        }
        if (!server.equals(ours.remote())) {
            return Optional.of("it sees itself at " + text(server));
        }
        // A tunnel may end at the same loopback address of another machine. Elsewhere the address of a client may be
        // translated on its way out, which leads to no other server.
        return server.getAddress().isLoopbackAddress() && !ours.local().equals(client)
                ? Optional.of("it sees us at " + (client == null ? "no address" : text(client)) + ", and our socket is "
                        + text(ours.local()))
                : Optional.empty();
    }

    private static @Nullable InetSocketAddress address(@Nullable String address, int port) throws SQLException {
        try {
            // An address, not a name: nothing is looked up. One of IPv4 inside IPv6 becomes what it is.
            return address == null ? null : new InetSocketAddress(InetAddress.getByName(address), port);
        } catch (UnknownHostException noAddress) {
            throw new SQLException("not an address: " + address, noAddress);
        }
    }

    private static String text(InetSocketAddress end) {
        String host = end.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + end.getPort();
    }
}
