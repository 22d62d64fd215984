package io.nightshift.infra.restore;

import io.nightshift.infra.replication.ManifestChecksum;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * The manifest of a data directory whose tablespaces are linked, as pg_basebackup makes one in plain format: the server
 * was asked for a {@code tablespace_map} with the old places, and neither the file nor its entry may stay. All else stays
 * byte by byte; only the checksum of the manifest itself, its last line, is computed anew.
 */
final class PlainManifest {

    private static final String TABLESPACE_MAP = "\"Path\": \"tablespace_map\",";
    private static final String CHECKSUM = "\"Manifest-Checksum\":";

    private PlainManifest() {}

    static void withoutTablespaceMap(InputStream from, OutputStream to) throws IOException {
        var in = new BufferedInputStream(from, 1 << 16);
        MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
        byte[] held = new byte[0];
        for (byte[] line = line(in); line.length > 0; line = line(in)) {
            String text = new String(line, StandardCharsets.UTF_8);
            if (text.contains(TABLESPACE_MAP)) {
                if (!text.endsWith(",\n")) {
                    held = withoutComma(held); // the last one of the list goes
                }
            } else if (text.startsWith(CHECKSUM)) {
                put(held, to, sha256);
                held = (CHECKSUM + " \"" + HexFormat.of().formatHex(sha256.digest()) + "\"}\n")
                        .getBytes(StandardCharsets.UTF_8);
            } else {
                put(held, to, sha256);
                held = line;
            }
        }
        to.write(held);
    }

    private static void put(byte[] line, OutputStream to, MessageDigest sha256) throws IOException {
        to.write(line);
        sha256.update(line);
    }

    private static byte[] withoutComma(byte[] line) {
        return new String(line, StandardCharsets.UTF_8)
                .replaceFirst(",\n$", "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** With its line feed; nothing at the end. */
    private static byte[] line(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream(256);
        for (int next = in.read(); next >= 0; next = in.read()) {
            line.write(next);
            if (next == '\n') {
                break;
            }
        }
        return line.toByteArray();
    }
}
