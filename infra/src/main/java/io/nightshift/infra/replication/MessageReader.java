package io.nightshift.infra.replication;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream into backend messages (PostgreSQL manual, "Message Formats": one byte type, four bytes length that
 * counts itself, body). One buffer is filled with as much as the socket has; the bodies of long messages are handed out
 * as slices of it, so that their bytes are copied by nobody but the kernel's read. Not thread-safe.
 */
final class MessageReader {

    static final char COPY_DATA = 'd';

    /** NioSocketImpl reads at most 128 KiB at once; a message of a base backup has at most 32 KiB. */
    private static final int BUFFER_SIZE = 256 * 1024;

    /** Everything but CopyData is short; a longer one means that we are not talking to PostgreSQL. */
    static final int LONGEST_MESSAGE = 16 * 1024 * 1024;

    private static final int HEADER_SIZE = 5;

    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER_SIZE];
    private int position;
    private int limit;
    private int remaining;
    private long received;

    MessageReader(InputStream in) {
        this.in = in;
    }

    /** Goes to the next message, over what is left of the present one, and gives its type. */
    char next() throws IOException {
        skipRest();
        require(HEADER_SIZE);
        char type = (char) (buffer[position] & 0xFF);
        int length = ByteBuffer.wrap(buffer, position + 1, Integer.BYTES).getInt();
        if (length < Integer.BYTES || (type != COPY_DATA && length > LONGEST_MESSAGE)) {
            throw new ProtocolViolation("message '" + printable(type) + "' of " + length + " bytes");
        }
        position += HEADER_SIZE;
        remaining = length - Integer.BYTES;
        return type;
    }

    /** Whether something of the next message is here already. */
    boolean isBuffered() throws IOException {
        skipRest();
        return limit > position;
    }

    /** Whether something of the next message arrives within the time that reads may take. */
    boolean arrives() throws IOException {
        skipRest();
        try {
            require(1);
            return true;
        } catch (SocketTimeoutException nothingYet) {
            return false;
        }
    }

    /** Bytes of the present message that nobody has read yet. */
    int remaining() {
        return remaining;
    }

    /** Bytes taken from the stream since it was opened. */
    long received() {
        return received;
    }

    /**
     * Makes the next slice of the present message available in {@link #buffer()} at {@link #offset()}, at least one byte
     * and as many as are here already, and returns its length; 0 at the end of the message. {@link #consume} it.
     */
    int slice() throws IOException {
        if (remaining == 0) {
            return 0;
        }
        require(1);
        return Math.min(remaining, limit - position);
    }

    byte[] buffer() {
        return buffer;
    }

    int offset() {
        return position;
    }

    void consume(int length) {
        position += length;
        remaining -= length;
    }

    byte readByte() throws IOException {
        take(1);
        return buffer[position++];
    }

    int readUnsignedShort() throws IOException {
        take(Short.BYTES);
        int value = ByteBuffer.wrap(buffer, position, Short.BYTES).getShort() & 0xFFFF;
        position += Short.BYTES;
        return value;
    }

    int readInt() throws IOException {
        take(Integer.BYTES);
        int value = ByteBuffer.wrap(buffer, position, Integer.BYTES).getInt();
        position += Integer.BYTES;
        return value;
    }

    long readLong() throws IOException {
        take(Long.BYTES);
        long value = ByteBuffer.wrap(buffer, position, Long.BYTES).getLong();
        position += Long.BYTES;
        return value;
    }

    byte[] readBytes(int length) throws IOException {
        if (length < 0 || length > remaining) {
            throw new ProtocolViolation(length + " bytes announced in a message that has " + remaining + " left");
        }
        byte[] bytes = new byte[length];
        for (int done = 0; done < length; ) {
            int slice = Math.min(slice(), length - done);
            System.arraycopy(buffer, position, bytes, done, slice);
            consume(slice);
            done += slice;
        }
        return bytes;
    }

    /** A string up to its zero byte, wherever the buffer ends in between. */
    String readCString() throws IOException {
        byte[] text = new byte[64];
        int length = 0;
        for (byte next = readByte(); next != 0; next = readByte()) {
            if (length == LONGEST_MESSAGE) {
                throw new ProtocolViolation("a text of more than " + LONGEST_MESSAGE + " bytes");
            }
            if (length == text.length) {
                text = Arrays.copyOf(text, 2 * length);
            }
            text[length++] = next;
        }
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    /** A value of a DataRow: its length, -1 for null, and its bytes. */
    byte @Nullable [] readValue() throws IOException {
        int length = readInt();
        return length == -1 ? null : readBytes(length);
    }

    private void skipRest() throws IOException {
        while (remaining > 0) {
            consume(slice());
        }
    }

    private void take(int bytes) throws IOException {
        if (bytes > remaining) {
            throw new ProtocolViolation("message ends " + (bytes - remaining) + " bytes early");
        }
        require(bytes);
        remaining -= bytes;
    }

    private void require(int bytes) throws IOException {
        if (limit - position >= bytes) {
            return;
        }
        System.arraycopy(buffer, position, buffer, 0, limit - position);
        limit -= position;
        position = 0;
        while (limit < bytes) {
            int read = in.read(buffer, limit, buffer.length - limit);
            if (read < 0) {
                throw new EOFException("connection closed by the server");
            }
            limit += read;
            received += read;
        }
    }

    static String printable(char type) {
        return type > ' ' && type < 127 ? String.valueOf(type) : String.format("\\x%02X", (int) type);
    }
}
