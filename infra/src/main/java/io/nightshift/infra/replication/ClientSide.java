package io.nightshift.infra.replication;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.jdbc.PgConnection;

/**
 * What this machine sees of a session: both ends of its socket, where of a host name's several addresses one is decided
 * upon, and the process that was announced at the login.
 */
public record ClientSide(InetSocketAddress local, InetSocketAddress remote, int announcedPid) {

    /** Of a connection of pgjdbc. */
    public static ClientSide of(Connection connection) throws SQLException {
        PgConnection session = connection.unwrap(PgConnection.class);
        Socket socket = DriverFields.stream(session).getSocket();
        return new ClientSide(
                new InetSocketAddress(socket.getLocalAddress(), socket.getLocalPort()),
                new InetSocketAddress(socket.getInetAddress(), socket.getPort()),
                session.getBackendPID());
    }
}
