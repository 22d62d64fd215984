package io.nightshift.infra.replication;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a manifest on their way to the JSON parser. The checksum in the last line covers everything before that
 * line, so bytes are digested only once a later line has begun.
 */
final class ManifestBytes extends InputStream {

    /** No line of a manifest is nearly as long: a path has at most 1024 bytes. */
    private static final int LONGEST_LINE = 64 * 1024;

    private static final Pattern LAST_LINE = Pattern.compile("\"Manifest-Checksum\": \"([0-9A-Fa-f]{64})\"\\}\n");

    private final InputStream in;
    private final ManifestChecksum.Digest sha256 = ManifestChecksum.SHA256.digest();
    private final byte[] pending = new byte[2 * LONGEST_LINE];
    private int pendingLength;
    private @Nullable IOException failure;

    ManifestBytes(InputStream in) {
        this.in = in;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        int read = readFrom(target, offset, length);
        for (int done = 0; done < read; ) {
            int part = Math.min(read - done, LONGEST_LINE);
            digestAllButTheLastLine(target, offset + done, part);
            done += part;
        }
        return read;
    }

    /** Why the stream could not be read; null if it could. The JSON parser throws IOExceptions of its own, for garbage. */
    @Nullable
    IOException failure() {
        return failure;
    }

    private int readFrom(byte[] target, int offset, int length) throws IOException {
        try {
            return in.read(target, offset, length);
        } catch (IOException unreadable) {
            failure = unreadable;
            throw unreadable;
        }
    }

    /** Reads what the JSON parser left over. */
    void drain() throws IOException {
        byte[] rest = new byte[8192];
        while (read(rest, 0, rest.length) >= 0) {
            // digested on the way
        }
    }

    /** The checksum that the last line states, if it is what the lines before it have; at the end of the stream. */
    String verifiedChecksum() {
        Matcher last = LAST_LINE.matcher(new String(pending, 0, pendingLength, StandardCharsets.ISO_8859_1));
        if (!last.matches()) {
            throw ManifestParser.damaged("its last line is not its checksum");
        }
        String stated = last.group(1).toLowerCase(Locale.ROOT);
        String computed = sha256.hex();
        if (!stated.equals(computed)) {
            throw ManifestParser.damaged("its checksum is " + computed + ", its last line says " + stated);
        }
        return stated;
    }

    private void digestAllButTheLastLine(byte[] bytes, int offset, int length) {
        if (pendingLength + length > pending.length) {
            throw ManifestParser.damaged("a line of it is longer than " + LONGEST_LINE + " bytes");
        }
        System.arraycopy(bytes, offset, pending, pendingLength, length);
        pendingLength += length;
        int lineStart = pendingLength - 1;
        while (lineStart > 0 && pending[lineStart - 1] != '\n') {
            lineStart--;
        }
        if (lineStart > 0) {
            sha256.update(pending, 0, lineStart);
            System.arraycopy(pending, lineStart, pending, 0, pendingLength - lineStart);
            pendingLength -= lineStart;
        }
    }
}
