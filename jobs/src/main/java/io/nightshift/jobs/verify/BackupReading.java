package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One storage's copy of a backup.
 *
 * @param wasReadWhenStored a backup is published only after it was read back from every required storage
 */
record BackupReading(StoredBackup backup, String storage, boolean wasReadWhenStored) implements Reading {

    @Override
    public long bytes() {
        return backup.document().map(BackupDocument::storedBytes).orElse(0L);
    }

    @Override
    public Instant storedAt() {
        return backup.document()
                .map(BackupDocument::endedAt)
                .orElse(backup.label().time());
    }

    @Override
    public @Nullable Instant readAt() {
        StoredBackup.Copy copy = backup.copies().get(storage);
        return copy == null ? null : copy.verifiedAt();
    }
}
