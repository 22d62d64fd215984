package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** A {@code backup.json} as it was found: intact, or damaged. Damage is an outcome, so that it cannot end a listing. */
public sealed interface BackupDocumentFile {

    /** It says what it said when it was written. */
    record Intact(BackupDocument document) implements BackupDocumentFile {}

    /** The backup exists, but what it is cannot be trusted. */
    record Damaged(String reason) implements BackupDocumentFile {}

    static byte[] write(BackupDocument document) {
        String json = new String(BackupJson.bytes(document), StandardCharsets.UTF_8).stripTrailing();
        String body = json.substring(0, json.length() - 1).stripTrailing() + ",\n";
        return (body + "\"checksum\": \"" + sha256(body.getBytes(StandardCharsets.UTF_8)) + "\"}\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    static BackupDocumentFile read(byte[] bytes) {
        // One character a byte: UTF-8 would decode different damaged bytes alike.
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        Matcher lastLine =
                Pattern.compile("\"checksum\": \"([0-9a-f]{64})\"}\n\\z").matcher(text);
        if (!lastLine.find()) {
            return new Damaged("backup.json does not end with its checksum");
        }
        if (!lastLine.group(1).equals(sha256(Arrays.copyOf(bytes, lastLine.start())))) {
            return new Damaged("the checksum of backup.json does not match");
        }
        try {
            JsonNode tree = BackupJson.MAPPER.readTree(bytes);
            int formatVersion = tree.path("formatVersion").asInt(0);
            if (formatVersion > BackupDocument.FORMAT_VERSION) {
                return new Damaged("backup.json has format version " + formatVersion + ", this program knows up to "
                        + BackupDocument.FORMAT_VERSION);
            }
            return new Intact(BackupJson.MAPPER.treeToValue(tree, BackupDocument.class));
        } catch (JacksonException unreadable) {
            return new Damaged("backup.json is not readable: " + unreadable.getOriginalMessage());
        }
    }

    private static String sha256(byte[] bytes) {
        return ManifestChecksum.SHA256.hexOf(bytes);
    }
}
