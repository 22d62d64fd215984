package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.ArchiveWriter;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.ComparedArchives;
import io.nightshift.infra.backup.ManifestWriter;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.SentIncrementals;
import io.nightshift.infra.backup.StoredArchive;
import io.nightshift.infra.backup.StreamWaits;
import io.nightshift.infra.load.Pace;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.BaseBackupReceiver;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Progress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts what the server sends into the archives of a new backup, on the thread that reads the socket. Between the calls
 * that thread waits for the server; what it waits for inside, the archives tell.
 */
final class BackupWriter implements BaseBackupReceiver {

    private final NewBackup backup;
    private final ManifestChecksum checksum;
    private final @Nullable SentIncrementals sent;
    private final @Nullable ComparedArchives compared;
    private final Progress progress;
    private final Pace pace;
    private final Clock clock;
    private final List<StoredArchive> archives = new ArrayList<>();
    private final DamagedPages damagedPages = new DamagedPages();
    private @Nullable BackupStart start;
    private @Nullable Instant startedAt;
    private @Nullable ArchiveWriter current;
    private @Nullable ManifestWriter manifest;
    private StreamWaits waits = StreamWaits.NONE;
    private long returned;
    private long serverNanos;

    /**
     * For a new backup.
     *
     * @param incremental whether the server sends changed blocks
     * @param compared the way of what it sends into the backup; null if it is stored as it comes
     */
    BackupWriter(
            NewBackup backup,
            ManifestChecksum checksum,
            boolean incremental,
            @Nullable ComparedArchives compared,
            Progress progress,
            Pace pace,
            Clock clock) {
        this.backup = backup;
        this.checksum = checksum;
        this.sent = incremental ? new SentIncrementals() : null;
        this.compared = compared;
        this.progress = progress;
        this.pace = pace;
        this.clock = clock;
    }

    @Override
    public void started(BackupStart start) {
        this.start = start;
        this.startedAt = clock.instant();
        progress.begin("stream base backup", start.estimatedBytes(), "bytes");
        CrashPoint.reach("backup.started");
        returned = System.nanoTime();
    }

    @Override
    public void archive(String name, String location) {
        called();
        finishArchive();
        current = backup.archive(name, location, checksum);
        if (compared != null) {
            compared.archive(name, current);
        }
        if (sent != null) {
            sent.archive(name);
        }
        returned = System.nanoTime();
    }

    @Override
    public void data(byte[] buffer, int offset, int length) {
        called();
        ArchiveWriter archive = Objects.requireNonNull(current, "bytes before the first archive");
        if (compared != null) {
            compared.data(buffer, offset, length);
        } else {
            archive.write(buffer, offset, length);
        }
        if (sent != null) {
            sent.data(buffer, offset, length);
        }
        progress.advance(length);
        backup.renewIfDue(clock.instant());
        CrashPoint.reach("backup.data");
        pace.passed(length);
        returned = System.nanoTime();
    }

    @Override
    public void manifest(byte[] buffer, int offset, int length) {
        called();
        if (manifest == null) {
            finishArchive();
            manifest = backup.manifest();
        }
        if (compared != null) {
            compared.manifest(buffer, offset, length);
        } else {
            manifest.write(buffer, offset, length);
        }
        returned = System.nanoTime();
    }

    @Override
    public void notice(ServerNotice notice) {
        damagedPages.accept(notice, start == null ? List.of() : start.tablespaces());
    }

    /** Makes the last archive and the manifest durable. */
    WrittenBackup finish(BackupEnd end) {
        called();
        finishArchive();
        ManifestWriter last = Objects.requireNonNull(manifest, "no manifest");
        BackupDocument.Manifest stored = compared == null ? last.finish() : compared.finishManifest(last, archives);
        BackupDocument.Digests digests = compared == null ? null : compared.finishDigests();
        return new WrittenBackup(Objects.requireNonNull(start), end, archives, stored, digests, damagedPages);
    }

    /** What the server has sent of an incremental backup. */
    SentIncrementals sent() {
        return Objects.requireNonNull(sent);
    }

    /** What the stream has waited for; complete once it is finished. */
    StreamWaits waits() {
        return new StreamWaits(Duration.ofNanos(serverNanos), waits.compression(), waits.storage(), pace.held());
    }

    /** When the checkpoint was done and the first bytes were about to come. */
    Instant startedAt() {
        return Objects.requireNonNull(startedAt);
    }

    private void called() {
        serverNanos += System.nanoTime() - returned;
    }

    private void finishArchive() {
        if (current != null) {
            if (compared != null) {
                compared.end();
            }
            archives.add(current.finish());
            waits = new StreamWaits(
                    Duration.ZERO,
                    waits.compression().plus(current.waitedForCompression()),
                    waits.storage().plus(current.waitedForStorage()),
                    Duration.ZERO);
            current = null;
        }
    }
}
