package io.nightshift.infra.replication;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes a backup manifest of version 2 as a server does (PostgreSQL manual, "Backup Manifest Format"). */
public final class TestManifest {

    public static final String RANGE = "{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": \"0/02000100\" }";

    private final String head;
    /** By the bytes of their paths, one char each. */
    private final Map<String, String> files = new LinkedHashMap<>();

    public TestManifest(String systemIdentifier) {
        this.head = "\"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": " + systemIdentifier + ",\n";
    }

    /** Lists a file of this content. */
    public TestManifest file(byte[] path, byte[] content, ManifestChecksum algorithm) {
        return file(path, content.length, algorithm, algorithm.hexOf(content));
    }

    /** Lists a file, once for each path; as the server does, a path that is not UTF-8 in hexadecimal. */
    public TestManifest file(byte[] path, long size, ManifestChecksum algorithm, String checksum) {
        String text = new String(path, StandardCharsets.UTF_8);
        boolean utf8 = Arrays.equals(path, text.getBytes(StandardCharsets.UTF_8));
        String name = utf8
                ? "\"Path\": \"" + text + "\""
                : "\"Encoded-Path\": \"" + HexFormat.of().formatHex(path) + "\"";
        String sum = algorithm == ManifestChecksum.NONE
                ? ""
                : ", \"Checksum-Algorithm\": \"" + algorithm + "\", \"Checksum\": \"" + checksum + "\"";
        files.put(
                key(path),
                "{ " + name + ", \"Size\": " + size + ", \"Last-Modified\": \"2026-11-22 20:57:00 GMT\"" + sum + " }");
        return this;
    }

    public TestManifest without(byte[] path) {
        files.remove(key(path));
        return this;
    }

    /** The manifest with its own checksum. */
    public byte[] bytes() {
        return bytes(head, String.join(",\n", files.values()), RANGE);
    }

    static byte[] bytes(String head, String files, String ranges) {
        return withChecksum("{ " + head + "\"Files\": [\n" + files + "\n],\n\"WAL-Ranges\": [\n" + ranges + "\n],\n");
    }

    static byte[] withChecksum(String lines) {
        String checksum = ManifestChecksum.SHA256.hexOf(lines.getBytes(StandardCharsets.UTF_8));
        return (lines + "\"Manifest-Checksum\": \"" + checksum + "\"}\n").getBytes(StandardCharsets.UTF_8);
    }

    private static String key(byte[] path) {
        return new String(path, StandardCharsets.ISO_8859_1);
    }
}
