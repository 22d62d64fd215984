package io.nightshift.infra.backup;

import java.util.Locale;
import java.util.Optional;

/** What a backup needs to be restored: nothing, or its parent. A differential's parent is the last full. */
public enum BackupType {
    FULL,
    INCREMENTAL,
    DIFFERENTIAL;

    public boolean needsParent() {
        return this != FULL;
    }

    static Optional<BackupType> of(String word) {
        for (BackupType type : values()) {
            if (type.toString().equals(word)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** As in labels and job types: {@code full}, {@code incremental}, {@code differential}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
