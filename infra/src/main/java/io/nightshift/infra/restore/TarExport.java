package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a full backup as pg_basebackup's tar format does: the archives as they are stored, which {@code tar} and
 * {@code zstd} open, and the server's manifest last, nothing else. Each archive is compared with the SHA-256 that
 * backup.json says.
 */
public final class TarExport {

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");
    private static final int PIECE = 1 << 18;

    private final BackupCopies copies;
    private final Path directory;

    /**
     * Exports these copies.
     *
     * @param directory absent or empty
     */
    public TarExport(BackupCopies copies, Path directory) {
        this.copies = copies;
        this.directory = directory.toAbsolutePath().normalize();
    }

    public Exported run(Progress progress, Cancellation cancellation) {
        BackupDocument document = copies.document();
        TargetDirectory.requireUnused(directory);
        FreeSpace.require(Map.of(directory, document.storedBytes()));
        progress.begin("export " + document.label(), document.storedBytes(), "bytes");
        long bytes = document.manifest().bytes();
        try (TargetDirectory target = TargetDirectory.claim(directory, "backup " + document.label())) {
            for (BackupDocument.Archive archive : document.archives()) {
                copies.read(storage -> copy(storage, archive, progress, cancellation));
                bytes += archive.storedBytes();
            }
            Durable.sync(directory, cancellation);
            target.unmark();
            Durable.write(
                    directory.resolve(DataDirectory.MANIFEST),
                    PRIVATE,
                    out -> copies.copyManifest((from, to) -> from.transferTo(to), out));
            target.complete();
        }
        return new Exported(
                document.archives().size() + 1L, bytes, copies.used(), copies.complaints(), notes(document));
    }

    private boolean copy(
            Storage storage, BackupDocument.Archive archive, Progress progress, Cancellation cancellation) {
        String object = copies.object(archive.object());
        Path file = directory.resolve(archive.object());
        MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
        try (InputStream stored = storage.open(object);
                FileChannel channel = create(file)) {
            var piece = new byte[PIECE];
            for (int count = stored.read(piece); count >= 0; count = stored.read(piece)) {
                cancellation.check();
                sha256.update(piece, 0, count);
                Durable.write(channel, file, piece, count);
                progress.advance(count);
            }
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
        String found = HexFormat.of().formatHex(sha256.digest());
        if (!found.equals(archive.sha256())) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "archive " + object + " has the SHA-256 " + found + ", backup.json says " + archive.sha256());
        }
        return true;
    }

    /** Empty again, where a damaged copy has begun to fill it. */
    private static FileChannel create(Path file) {
        try {
            Files.deleteIfExists(file);
            return FileChannel.open(
                    file,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PRIVATE));
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    private static List<String> notes(BackupDocument document) {
        List<String> notes = new ArrayList<>();
        for (BackupDocument.Archive archive : document.archives()) {
            if (archive.location().startsWith("/")) {
                notes.add("tablespace_map in base.tar still sends tablespace " + archive.tablespace() + " to "
                        + archive.location() + ": correct it before a server starts");
            }
        }
        return notes;
    }
}
