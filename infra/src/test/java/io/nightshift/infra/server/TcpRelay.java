package io.nightshift.infra.server;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stands between a client and a server on loopback, as a load balancer or the port mapping of a container does: a port
 * of its own, and a connection of its own for each client. Works for connections without TLS.
 */
public final class TcpRelay implements AutoCloseable {

    /** What happens to the bytes that the server sends. */
    private interface Downstream {
        void pump(InputStream server, OutputStream client) throws IOException;
    }

    private final ServerSocket listener;
    private final InetSocketAddress server;
    private final Downstream downstream;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private TcpRelay(int port, Downstream downstream) {
        this.server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
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
        return new TcpRelay(serverPort, InputStream::transferTo);
    }

    /** Announces a process of its own at each login, as a pooler does; else passes every byte on. */
    public static TcpRelay pooling(int serverPort, int announced) {
        return new TcpRelay(serverPort, (server, client) -> announce(announced, server, client));
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
                Socket upstream = new Socket();
                open.add(client);
                open.add(upstream);
                upstream.connect(server);
                start(() -> carry(client, upstream, InputStream::transferTo));
                start(() -> carry(upstream, client, downstream));
            } catch (IOException closedOrRefused) {
                // the client sees its connection end
            }
        }
    }

    private void carry(Socket from, Socket to, Downstream how) {
        try {
            how.pump(from.getInputStream(), to.getOutputStream());
        } catch (IOException cut) {
            // both ends are closed below
        } finally {
            close(from);
            close(to);
            open.remove(from);
            open.remove(to);
        }
    }

    /** BackendKeyData: 'K', length 12 (longer in protocol 3.2), process, secret. Before all, one byte 'N' refuses TLS. */
    private static void announce(int process, InputStream from, OutputStream to) throws IOException {
        DataInputStream in = new DataInputStream(from);
        DataOutputStream out = new DataOutputStream(to);
        try {
            int type = in.read();
            for (; type == 'N'; type = in.read()) {
                out.writeByte(type);
                out.flush();
            }
            for (; type >= 0; type = in.read()) {
                int length = in.readInt();
                byte[] body = in.readNBytes(length - Integer.BYTES);
                out.writeByte(type);
                out.writeInt(length);
                if (type == 'K') {
                    out.writeInt(process);
                    out.write(body, Integer.BYTES, body.length - Integer.BYTES);
                } else {
                    out.write(body);
                }
                out.flush();
            }
        } catch (EOFException ended) {
            out.flush();
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
