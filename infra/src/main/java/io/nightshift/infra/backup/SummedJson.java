package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** JSON whose last line is the SHA-256 of all before it, as in PostgreSQL's own manifest. */
public final class SummedJson {

    private static final Pattern LAST_LINE = Pattern.compile("\"checksum\": \"([0-9a-f]{64})\"}\n\\z");

    private SummedJson() {}

    public static byte[] bytes(Object value) {
        String json = new String(BackupJson.bytes(value), StandardCharsets.UTF_8).stripTrailing();
        String body = json.substring(0, json.length() - 1).stripTrailing() + ",\n";
        return (body + "\"checksum\": \"" + sha256(body.getBytes(StandardCharsets.UTF_8)) + "\"}\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * What is wrong with stored bytes; "" if they are what was written.
     *
     * @param name such as {@code backup.json}
     */
    public static String damage(byte[] bytes, String name) {
        // One character a byte: UTF-8 would decode different damaged bytes alike.
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        Matcher lastLine = LAST_LINE.matcher(text);
        if (!lastLine.find()) {
            return name + " does not end with its checksum";
        }
        return lastLine.group(1).equals(sha256(Arrays.copyOf(bytes, lastLine.start())))
                ? ""
                : "the checksum of " + name + " does not match";
    }

    private static String sha256(byte[] bytes) {
        return ManifestChecksum.SHA256.hexOf(bytes);
    }
}
