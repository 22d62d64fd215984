package io.nightshift.infra.replication;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Looks like a PostgreSQL server until somebody has logged in; answers the first command with the given bytes and hangs
 * up. For what no real server says.
 */
final class ScriptedServer implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 50;

    private final ServerSocket listener;
    private final byte[] welcome;
    private final int patience;
    private final byte[] answer;

    ScriptedServer(byte[] answer) {
        this(welcome(), 0, answer);
    }

    /** With a login that no real server gives; hangs up on a client that waits for more of it. */
    ScriptedServer(byte[] welcome, byte[] answer) {
        this(welcome, PATIENCE_MILLIS, answer);
    }

    private ScriptedServer(byte[] welcome, int patience, byte[] answer) {
        this.welcome = welcome;
        this.patience = patience;
        this.answer = answer;
        try {
            listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread thread = new Thread(this::serve, "scripted-server");
        thread.setDaemon(true);
        thread.start();
    }

    String url() {
        return "jdbc:postgresql://127.0.0.1:" + listener.getLocalPort() + "/?sslmode=disable&gssEncMode=disable";
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void serve() {
        while (!listener.isClosed()) {
            try (Socket client = listener.accept()) {
                converse(client);
            } catch (IOException hungUp) {
                // the client may go at any time; a cancel request is a connection too
            }
        }
    }

    private void converse(Socket client) throws IOException {
        client.setSoTimeout(patience);
        DataInputStream in = new DataInputStream(client.getInputStream());
        in.readNBytes(in.readInt() - Integer.BYTES);
        client.getOutputStream().write(welcome);
        in.readByte();
        in.readNBytes(in.readInt() - Integer.BYTES);
        client.getOutputStream().write(answer);
    }

    static byte[] welcome() {
        return new Messages()
                .message('R', new byte[4])
                .message('S', "server_version\00018.6\0")
                .message('S', "client_encoding\0UTF8\0")
                .message('S', "DateStyle\0ISO, MDY\0")
                .message('S', "standard_conforming_strings\0on\0")
                .message('S', "integer_datetimes\0on\0")
                .message('K', new byte[8])
                .message('Z', "I")
                .bytes();
    }

    /** Backend messages, one after another. */
    static final class Messages {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Messages message(char type, String body) {
            return message(type, body.getBytes(StandardCharsets.UTF_8));
        }

        Messages message(char type, byte[] body) {
            try {
                DataOutputStream out = new DataOutputStream(bytes);
                out.writeByte(type);
                out.writeInt(Integer.BYTES + body.length);
                out.write(body);
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** A whole result set; null is SQL's null. */
        Messages row(String... values) {
            try {
                ByteArrayOutputStream body = new ByteArrayOutputStream();
                DataOutputStream out = new DataOutputStream(body);
                out.writeShort(values.length);
                for (String value : values) {
                    byte[] text = value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8);
                    out.writeInt(value == null ? -1 : text.length);
                    out.write(text);
                }
                return message('T', new byte[2])
                        .message('D', body.toByteArray())
                        .message('C', "SELECT\0");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        byte[] bytes() {
            return bytes.toByteArray();
        }
    }
}
