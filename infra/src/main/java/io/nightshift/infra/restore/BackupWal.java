package io.nightshift.infra.restore;

import io.nightshift.infra.backup.ArchivePlace;
import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.wal.WalSegments;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The WAL inside a backup that was taken with it; a segment at a time in memory. */
final class BackupWal implements WalSegments {

    private final BackupCopies copies;
    private final BackupDocument.Archive archive;

    BackupWal(BackupCopies copies) {
        this.copies = copies;
        this.archive = copies.document().archives().stream()
                .filter(one -> one.tablespace() == null)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public Optional<InputStream> open(WalSegment segment) {
        String object = copies.object(archive.object());
        String member = ArchivePlace.of(archive.name()).memberPath("pg_wal/" + segment.name());
        return copies.read(storage -> {
            try (InputStream content =
                    ArchiveReader.open(storage, object).content(member).orElse(null)) {
                return content == null
                        ? Optional.empty()
                        : Optional.of(new ByteArrayInputStream(content.readAllBytes()));
            } catch (IOException failed) {
                throw StorageFailures.unreadable(storage, object, failed);
            }
        });
    }
}
