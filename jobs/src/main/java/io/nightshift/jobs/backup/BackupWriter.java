package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.ArchiveWriter;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.StoredArchive;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.BaseBackupReceiver;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Progress;
import java.io.ByteArrayOutputStream;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Puts what the server sends into the archives of a new backup, on the thread that reads the socket. */
final class BackupWriter implements BaseBackupReceiver {

    private final NewBackup backup;
    private final ManifestChecksum checksum;
    private final Progress progress;
    private final Clock clock;
    private final List<StoredArchive> archives = new ArrayList<>();
    private final ByteArrayOutputStream manifest = new ByteArrayOutputStream();
    private final DamagedPages damagedPages = new DamagedPages();
    private @Nullable BackupStart start;
    private @Nullable Instant startedAt;
    private @Nullable ArchiveWriter current;

    BackupWriter(NewBackup backup, ManifestChecksum checksum, Progress progress, Clock clock) {
        this.backup = backup;
        this.checksum = checksum;
        this.progress = progress;
        this.clock = clock;
    }

    @Override
    public void started(BackupStart start) {
        this.start = start;
        this.startedAt = clock.instant();
        progress.begin("stream base backup", start.estimatedBytes(), "bytes");
        CrashPoint.reach("backup.started");
    }

    @Override
    public void archive(String name, String location) {
        finishArchive();
        current = backup.archive(name, location, checksum);
    }

    @Override
    public void data(byte[] buffer, int offset, int length) {
        Objects.requireNonNull(current, "bytes before the first archive").write(buffer, offset, length);
        progress.advance(length);
        CrashPoint.reach("backup.data");
    }

    @Override
    public void manifest(byte[] buffer, int offset, int length) {
        manifest.write(buffer, offset, length);
    }

    @Override
    public void notice(ServerNotice notice) {
        damagedPages.accept(notice, start == null ? List.of() : start.tablespaces());
    }

    /** Makes the last archive and the manifest durable. */
    WrittenBackup finish(BackupEnd end) {
        finishArchive();
        BackupDocument.Manifest stored = backup.manifest(manifest.toByteArray());
        return new WrittenBackup(Objects.requireNonNull(start), end, archives, stored, damagedPages);
    }

    /** When the checkpoint was done and the first bytes were about to come. */
    Instant startedAt() {
        return Objects.requireNonNull(startedAt);
    }

    private void finishArchive() {
        if (current != null) {
            archives.add(current.finish());
            current = null;
        }
    }
}
