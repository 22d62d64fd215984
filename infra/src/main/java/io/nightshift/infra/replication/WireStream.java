package io.nightshift.infra.replication;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.PGStream;
import org.postgresql.core.VisibleBufferedInputStream;
import org.postgresql.jdbc.PgConnection;

/**
 * The byte stream under a connection of pgjdbc, taken over once pgjdbc has connected, encrypted and authenticated.
 *
 * <p>pgjdbc has no public way to run BASE_BACKUP. Its stream is reached through two fields that are not public:
 * {@code QueryExecutorBase.pgStream}, and {@code PGStream.pgInput}, whose wrapped stream is the socket's, the TLS
 * session's or the GSS session's. Reading that one directly gives reads of up to 128 KiB instead of pgjdbc's 8 KiB. A
 * test pins both fields for the pgjdbc on the class path. Writing, the socket and the cancel request are public.
 *
 * <p>One thread reads and writes; {@link #cancelOnServer} and {@link #abort} may be called from any.
 */
final class WireStream {

    /** A dead host is noticed after about two minutes, also while the server is rightly silent in a checkpoint. */
    private static final int KEEPALIVE_IDLE_SECONDS = 60;

    private static final int KEEPALIVE_INTERVAL_SECONDS = 10;
    private static final int KEEPALIVE_COUNT = 6;

    private static final char QUERY = 'Q';

    private static final int COPY_PORTION = 64 * 1024;

    private final PgConnection connection;
    private final PGStream stream;
    private final MessageReader messages;

    private WireStream(PgConnection connection, PGStream stream, InputStream in) {
        this.connection = connection;
        this.stream = stream;
        this.messages = new MessageReader(in);
    }

    /** Takes the stream over; from now on the connection may be used for nothing but through this. */
    static WireStream of(PgConnection connection) throws IOException {
        PGStream stream = DriverFields.stream(connection);
        VisibleBufferedInputStream input = DriverFields.input(stream);
        keepAlive(stream.getSocket());
        return new WireStream(connection, stream, withoutBuffer(input));
    }

    MessageReader messages() {
        return messages;
    }

    /** Sends a command of the simple query protocol. */
    void sendQuery(String command) throws IOException {
        byte[] text = command.getBytes(StandardCharsets.UTF_8);
        stream.sendChar(QUERY);
        stream.sendInteger4(Integer.BYTES + text.length + 1);
        stream.send(text);
        stream.sendChar(0);
        stream.flush();
    }

    /** Sends bytes of ours inside a COPY in both directions. */
    void sendCopyData(byte[] body) throws IOException {
        stream.sendChar(MessageReader.COPY_DATA);
        stream.sendInteger4(Integer.BYTES + body.length);
        stream.send(body);
        stream.flush();
    }

    /** What is written to it goes to the server inside a COPY, in portions; {@link #sendCopyDone} ends it. */
    OutputStream copyIn() {
        return new BufferedOutputStream(
                new OutputStream() {
                    @Override
                    public void write(int one) throws IOException {
                        write(new byte[] {(byte) one}, 0, 1);
                    }

                    @Override
                    public void write(byte[] bytes, int offset, int length) throws IOException {
                        sendCopyData(Arrays.copyOfRange(bytes, offset, offset + length));
                    }
                },
                COPY_PORTION);
    }

    /** Says that we have no more to send inside the COPY. */
    void sendCopyDone() throws IOException {
        stream.sendChar(Answer.COPY_DONE);
        stream.sendInteger4(Integer.BYTES);
        stream.flush();
    }

    /** How long a read may wait for bytes; null waits for ever, and TCP's keepalive for a dead host. */
    void limitReads(@Nullable Duration limit) throws IOException {
        int milliseconds = limit == null ? 0 : Math.toIntExact(Math.max(1, limit.toMillis()));
        stream.getSocket().setSoTimeout(milliseconds);
    }

    /** Asks the server, over a connection of its own, to end what this session does. */
    void cancelOnServer() {
        try {
            connection.cancelQuery();
        } catch (SQLException notReached) {
            // the server that does not answer is left to the closed socket
        }
    }

    /** Ends the session in order. */
    void close() {
        try {
            connection.close();
        } catch (SQLException alreadyCut) {
            abort();
        }
    }

    /** Closes the socket under whoever reads or writes it. */
    void abort() {
        connection.getQueryExecutor().abort();
    }

    private static InputStream withoutBuffer(VisibleBufferedInputStream input) throws IOException {
        InputStream early = InputStream.nullInputStream();
        for (int waiting = input.available(); waiting > 0; waiting = input.available()) {
            byte[] bytes = new byte[waiting];
            int read = input.read(bytes, 0, waiting);
            early = new SequenceInputStream(early, new ByteArrayInputStream(bytes, 0, Math.max(read, 0)));
        }
        return early.available() == 0 ? input.getWrapped() : new SequenceInputStream(early, input.getWrapped());
    }

    private static void keepAlive(Socket socket) throws IOException {
        socket.setKeepAlive(true);
        Set<?> supported = socket.supportedOptions();
        if (supported.contains(StandardSocketOptions.SO_KEEPALIVE)
                && supported.contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
            socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
            socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEPALIVE_INTERVAL_SECONDS);
            socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEPALIVE_COUNT);
        }
    }
}
