package io.nightshift.infra.backup;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** A {@code backup.json} as it was found: intact, or damaged. Damage is an outcome, so that it cannot end a listing. */
public sealed interface BackupDocumentFile {

    /** It says what it said when it was written. */
    record Intact(BackupDocument document) implements BackupDocumentFile {}

    /** The backup exists, but what it is cannot be trusted. */
    record Damaged(String reason) implements BackupDocumentFile {}

    static byte[] write(BackupDocument document) {
        return SummedJson.bytes(document);
    }

    static BackupDocumentFile read(byte[] bytes) {
        String damage = SummedJson.damage(bytes, BackupPaths.BACKUP_JSON);
        if (!damage.isEmpty()) {
            return new Damaged(damage);
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
}
