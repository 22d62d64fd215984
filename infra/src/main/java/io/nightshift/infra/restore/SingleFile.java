package io.nightshift.infra.restore;

import io.nightshift.infra.backup.ArchivePlace;
import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.MemberPath;
import io.nightshift.infra.config.Nearest;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Fetches one file of a backup from its frames alone and compares it with the manifest. Damage elsewhere in the archive
 * does not matter; without an index, damage before the file does.
 */
public final class SingleFile {

    private final BackupCopies copies;
    private final String path;

    /** @param path as the manifest spells it, such as {@code base/5/2619} or {@code pg_tblspc/16575/PG_18_202506291/5/1} */
    public SingleFile(BackupCopies copies, String path) {
        this.copies = copies;
        this.path = path.startsWith("./") ? path.substring(2) : path;
    }

    /** Writes a file of the same name into a directory, which is made if it is missing. REFUSED if the file is there. */
    public Exported into(Path directory, Progress progress, Cancellation cancellation) {
        Path file = FileNames.resolve(directory.toAbsolutePath(), path.substring(path.lastIndexOf('/') + 1));
        requireAbsent(file);
        ManifestFile listed = listed();
        FreeSpace.require(Map.of(directory, listed == null ? 0L : listed.size()));
        try {
            Files.createDirectories(directory, TargetDirectory.PRIVATE_DIRECTORY);
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
        progress.begin("export " + path, listed == null ? null : listed.size(), "bytes");
        return done(copies.read(storage -> write(storage, listed, file, progress, cancellation)));
    }

    /** Writes the content to a stream: not a byte before it was read once and found equal to the manifest. */
    public Exported to(OutputStream out, Progress progress, Cancellation cancellation) {
        ManifestFile listed = listed();
        progress.begin("export " + path, listed == null ? null : 2 * listed.size(), "bytes");
        var contents = new CheckedContent(progress, cancellation);
        Storage sound = copies.read(storage -> {
            pass(storage, listed, contents, (piece, length) -> {});
            return storage;
        });
        return done(pass(sound, listed, contents, (piece, length) -> {
            try {
                out.write(piece, 0, length);
            } catch (IOException failed) {
                throw TargetFailures.of(Path.of("standard output"), failed);
            }
        }));
    }

    private long write(
            Storage storage, @Nullable ManifestFile listed, Path file, Progress progress, Cancellation cancellation) {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        boolean ours = false;
        try (FileChannel channel = FileChannel.open(
                part,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ours = true;
            long bytes = pass(
                    storage,
                    listed,
                    new CheckedContent(progress, cancellation),
                    (piece, length) -> Durable.write(channel, file, piece, length));
            channel.force(true);
            requireAbsent(file);
            Files.move(part, file);
            Durable.syncParent(file);
            return bytes;
        } catch (FileAlreadyExistsException taken) {
            throw exists(ours ? file : part);
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        } finally {
            if (ours) {
                removePart(part);
            }
        }
    }

    private long pass(
            Storage storage, @Nullable ManifestFile listed, CheckedContent contents, CheckedContent.Sink sink) {
        BackupDocument.Archive archive = archive();
        String object = copies.object(archive.object());
        String member = ArchivePlace.of(archive.name()).memberPath(path);
        try (InputStream content =
                ArchiveReader.open(storage, object).content(member).orElseThrow(this::unknown)) {
            return contents.pass(path, Optional.ofNullable(listed), content, sink);
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    private BackupDocument.Archive archive() {
        Map<ArchivePlace, BackupDocument.Archive> places = new LinkedHashMap<>();
        copies.document().archives().forEach(archive -> places.put(ArchivePlace.of(archive.name()), archive));
        BackupDocument.Archive archive = places.get(ArchivePlace.ofPath(path, places.keySet()));
        if (archive == null) {
            throw unknown();
        }
        return archive;
    }

    /** Null for what no manifest lists, such as WAL segments; whether the backup has it is for the archive to say. */
    private @Nullable ManifestFile listed() {
        BackupManifest manifest = copies.manifest();
        for (ManifestFile file : manifest.files()) {
            if (MemberPath.decode(file.pathBytes()).equals(path)) {
                return file;
            }
        }
        if (!path.startsWith("pg_wal/") && !MemberWriter.SIGNALS.contains(path)) {
            throw unknown(manifest);
        }
        return null;
    }

    private NightshiftException unknown() {
        return unknown(copies.manifest());
    }

    /** Names like it: in the same directory, or of the same name in another. */
    private NightshiftException unknown(BackupManifest manifest) {
        String directory = path.substring(0, path.lastIndexOf('/') + 1);
        String name = path.substring(directory.length());
        List<String> sameName = manifest.files().stream()
                .map(ManifestFile::path)
                .filter(other -> other.equals(name) || other.endsWith("/" + name))
                .limit(3)
                .toList();
        List<String> sameDirectory = manifest.files().stream()
                .map(ManifestFile::path)
                .filter(other -> other.startsWith(directory) && other.indexOf('/', directory.length()) < 0)
                .toList();
        String near = sameName.isEmpty() ? Nearest.of(path, sameDirectory).orElse("") : String.join(" or ", sameName);
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "backup " + copies.document().label() + " has no file " + path,
                near.isEmpty()
                        ? "paths are as in backup_manifest: from the data directory on, tablespaces as pg_tblspc/<oid>/…"
                        : "did you mean " + near + "?");
    }

    private Exported done(long bytes) {
        return new Exported(1, bytes, copies.used(), copies.complaints(), List.of());
    }

    private static void requireAbsent(Path file) {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw exists(file);
        }
    }

    /** Gone already where the file is complete; what stays because of an error is no file of the backup. */
    private static void removePart(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException leftOver) {
            // Its name says what it is.
        }
    }

    private static NightshiftException exists(Path file) {
        return new NightshiftException(
                FailureKind.REFUSED, "file " + file + " exists already", "choose another directory, or move it away");
    }
}
