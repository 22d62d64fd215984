package io.nightshift.infra.server;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stands between a client and a server on loopback, as a load balancer or the port mapping of a container does: a port
 * of its own, and a connection of its own for each client. Works for connections without TLS.
 */
public final class TcpRelay implements AutoCloseable {

    /** What happens to the bytes of one direction of one connection, until there are no more. */
    @FunctionalInterface
    public interface Pump {
        void carry(InputStream from, OutputStream to) throws IOException;
    }

    /** What becomes of one message of the server. */
    @FunctionalInterface
    public interface Alteration {
        byte[] altered(int type, byte[] body);
    }

    /** Its body: the process, and a secret. */
    private static final int BACKEND_KEY_DATA = 'K';

    /** A byte of its own, before all messages. */
    private static final int REFUSES_ENCRYPTION = 'N';

    private final ServerSocket listener;
    private final InetSocketAddress server;
    private final Pump upstream;
    private final Pump downstream;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private TcpRelay(int port, Pump upstream, Pump downstream) {
        this.server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.upstream = upstream;
        this.downstream = downstream;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    /** Passes every byte on. */
    public static TcpRelay to(int serverPort) {
        return altering(serverPort, InputStream::transferTo, InputStream::transferTo);
    }

    /** Announces a process of its own at each login, as a pooler does; else passes every byte on. */
    public static TcpRelay pooling(int serverPort, int announced) {
        return altering(
                serverPort,
                InputStream::transferTo,
                messages((type, body) -> type == BACKEND_KEY_DATA
                        ? ByteBuffer.wrap(body.clone()).putInt(0, announced).array()
                        : body));
    }

    /**
     * Lies to one side or to both.
     *
     * @param upstream what becomes of what clients send
     * @param downstream what becomes of what the server sends
     */
    public static TcpRelay altering(int serverPort, Pump upstream, Pump downstream) {
        return new TcpRelay(serverPort, upstream, downstream);
    }

    /** What becomes of the server's messages, one by one. */
    public static Pump messages(Alteration alteration) {
        return (from, to) -> {
            DataInputStream in = new DataInputStream(from);
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(to));
            int type = in.read();
            for (; type == REFUSES_ENCRYPTION; type = in.read()) {
                out.writeByte(type);
                out.flush();
            }
            for (; type >= 0; type = in.read()) {
                byte[] body = in.readNBytes(in.readInt() - Integer.BYTES);
                byte[] altered = alteration.altered(type, body);
                out.writeByte(type);
                out.writeInt(altered.length + Integer.BYTES);
                out.write(altered);
                out.flush();
            }
        };
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Cuts all connections; new ones are accepted. */
    public void cut() {
        open.forEach(TcpRelay::close);
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            cut();
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Socket behind = new Socket();
                open.add(client);
                open.add(behind);
                behind.connect(server);
                start(() -> carry(client, behind, upstream));
                start(() -> carry(behind, client, downstream));
            } catch (IOException closedOrRefused) {
                // the client sees its connection end
            }
        }
    }

    private void carry(Socket from, Socket to, Pump how) {
        try {
            how.carry(from.getInputStream(), to.getOutputStream());
        } catch (IOException cut) {
            // both ends are closed below
        } finally {
            close(from);
            close(to);
            open.remove(from);
            open.remove(to);
        }
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "tcp-relay");
        thread.setDaemon(true);
        thread.start();
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException ignored) {
            // closed is all it should be
        }
    }
}
