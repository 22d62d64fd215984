package io.nightshift.infra.server;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A network between a client and a server that knows where the server's messages begin and end, and that breaks when
 * told to: at one message of the replication connection, or of one ordinary session. Everything else passes, cancel
 * requests too. Without TLS only.
 */
public final class WireRelay implements AutoCloseable {

    /** How much of the message still arrives. */
    public enum Place {
        BEFORE(0),
        HALF(1),
        AFTER(2);

        private final int halves;

        Place(int halves) {
            this.halves = halves;
        }

        /** Bytes of a message of this length. */
        private int of(int length) {
            return length * halves / 2;
        }
    }

    /** Whether both sides notice at once, or the client hears nothing any more. */
    public enum Act {
        CUT,
        FREEZE
    }

    /**
     * A break.
     *
     * @param session {@link #REPLICATION}, or the number of an ordinary session, 1 the first from now on
     * @param kind as {@link #heard()} tells it
     * @param nth of this kind in the session, 1 the first
     */
    public record Fault(int session, String kind, int nth, Place place, Act act) {}

    /** The replication connection, in {@link Fault#session()}. */
    public static final int REPLICATION = 0;

    private static final byte[] NAME = "replication\0".getBytes(StandardCharsets.US_ASCII);
    private static final int CANCEL_REQUEST = 80877102;
    private static final int LIMIT_SECONDS = 60;

    private final ServerSocket listener;
    private final int server;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());
    private final List<byte[]> recorded = Collections.synchronizedList(new ArrayList<>());
    private volatile boolean recording;
    private volatile Fault fault;
    private volatile CountDownLatch broken = new CountDownLatch(1);
    private int ordinarySessions;

    /** Before the server at this port of this machine. */
    public WireRelay(int server) {
        this.server = server;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        work("relay", this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Breaks once at this message of the connections to come; null repairs. */
    public synchronized void breakAt(Fault next) {
        ordinarySessions = 0;
        heard.clear();
        broken = new CountDownLatch(1);
        fault = next;
    }

    /**
     * The messages of the replication connection so far: their types; of CopyData, {@code d/} and the type of what it
     * carries.
     */
    public List<String> heard() {
        synchronized (heard) {
            return List.copyOf(heard);
        }
    }

    /** Keeps the messages of replication connections from now on. */
    public void record() {
        recording = true;
    }

    public List<byte[]> recorded() {
        synchronized (recorded) {
            return List.copyOf(recorded);
        }
    }

    /** Waits until it has broken. */
    public void awaitBroken() {
        try {
            if (!broken.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("never reached " + fault);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    public boolean isBroken() {
        return broken.getCount() == 0;
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        sockets.forEach(WireRelay::close);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                sockets.add(client);
                work("relay-to-server", () -> connect(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void connect(Socket client) {
        try {
            Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server);
            sockets.add(upstream);
            InputStream in = client.getInputStream();
            byte[] startup = startup(in);
            upstream.getOutputStream().write(startup);
            int session = session(startup);
            work("relay-to-client", () -> down(upstream, client, session));
            in.transferTo(upstream.getOutputStream());
            // A client that has gone is gone for the server too, also where the way back is frozen.
            close(upstream);
            close(client);
        } catch (IOException gone) {
            close(client);
        }
    }

    private static byte[] startup(InputStream in) throws IOException {
        byte[] length = in.readNBytes(Integer.BYTES);
        if (length.length < Integer.BYTES) {
            throw new IOException("no startup packet");
        }
        int total = ByteBuffer.wrap(length).getInt();
        return ByteBuffer.allocate(total)
                .put(length)
                .put(in.readNBytes(total - Integer.BYTES))
                .array();
    }

    private synchronized int session(byte[] startup) {
        if (ByteBuffer.wrap(startup).getInt(Integer.BYTES) == CANCEL_REQUEST) {
            return -1;
        }
        boolean replication = Collections.indexOfSubList(bytes(startup), bytes(NAME)) >= 0;
        return replication ? REPLICATION : ++ordinarySessions;
    }

    private static List<Byte> bytes(byte[] array) {
        List<Byte> list = new ArrayList<>();
        for (byte each : array) {
            list.add(each);
        }
        return list;
    }

    private void down(Socket upstream, Socket client, int session) {
        try {
            if (session < 0) {
                upstream.getInputStream().transferTo(client.getOutputStream());
            } else {
                messages(upstream, client, session);
            }
        } catch (IOException gone) {
            // closed below
        }
        close(upstream);
        close(client);
    }

    private void messages(Socket upstream, Socket client, int session) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(upstream.getInputStream(), 1 << 16));
        OutputStream out = client.getOutputStream();
        int seen = 0;
        for (int type = in.read(); type >= 0; type = in.read()) {
            int length = in.readInt();
            byte[] message = ByteBuffer.allocate(1 + length)
                    .put((byte) type)
                    .putInt(length)
                    .put(in.readNBytes(length - Integer.BYTES))
                    .array();
            String kind = kind(message);
            if (session == REPLICATION) {
                heard.add(kind);
                if (recording) {
                    recorded.add(message);
                }
            }
            Fault due = fault;
            if (due != null && due.session() == session && due.kind().equals(kind) && ++seen == due.nth()) {
                out.write(message, 0, due.place().of(message.length));
                fault = null;
                if (due.act() == Act.FREEZE) {
                    broken.countDown();
                    upstream.getInputStream().transferTo(OutputStream.nullOutputStream());
                } else {
                    // Before the client can notice.
                    broken.countDown();
                    close(client);
                    close(upstream);
                }
                return;
            }
            out.write(message);
        }
    }

    private static String kind(byte[] message) {
        char type = (char) message[0];
        return type == 'd' && message.length > 5 ? "d/" + (char) message[5] : String.valueOf(type);
    }

    private static void work(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            throw new UncheckedIOException(closed);
        }
    }
}
