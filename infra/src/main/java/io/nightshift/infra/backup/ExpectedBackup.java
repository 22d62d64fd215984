package io.nightshift.infra.backup;

import io.nightshift.infra.backup.BackupDocument.Archive;
import io.nightshift.infra.backup.BackupDocument.Digests;
import io.nightshift.infra.backup.BackupDocument.Manifest;
import io.nightshift.infra.replication.WalRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What should be in a backup, by its backup.json, or without one by its folder: then sizes are those found, and an empty
 * SHA-256 says that nobody knows it.
 *
 * @param manifest null if the folder has none
 * @param digests null if it has none, or nobody knows
 * @param wal what a restore needs, if it is inside the backup; null if it lies elsewhere, or nobody knows
 * @param documented whether a backup.json says all this
 */
record ExpectedBackup(
        BackupPaths paths,
        BackupLabel label,
        List<Archive> archives,
        @Nullable Manifest manifest,
        @Nullable Digests digests,
        @Nullable WalRange wal,
        boolean documented) {

    private static final Pattern ARCHIVE = Pattern.compile("(base|[0-9]{1,10})\\.tar\\.zst");

    static ExpectedBackup of(BackupDocument document) {
        boolean walInside = document.wal() == BackupDocument.Wal.INCLUDED;
        return new ExpectedBackup(
                document.paths(),
                document.label(),
                document.archives(),
                document.manifest(),
                document.digests(),
                walInside ? new WalRange(document.timeline(), document.startLsn(), document.endLsn()) : null,
                true);
    }

    static ExpectedBackup of(BackupFolder folder) {
        List<Archive> archives = new ArrayList<>();
        folder.objects().forEach((name, object) -> {
            Matcher archive = ARCHIVE.matcher(name);
            if (archive.matches()) {
                String oid = archive.group(1).equals("base") ? null : archive.group(1);
                archives.add(new Archive(name, 0, object.bytes(), "", oid, ""));
            }
        });
        // As servers send them: the data directory last.
        archives.sort(Comparator.comparing((Archive archive) -> archive.tablespace() == null));
        Manifest manifest = Optional.ofNullable(folder.objects().get(BackupPaths.MANIFEST))
                .map(object -> new Manifest(BackupPaths.MANIFEST, object.bytes(), ""))
                .orElse(null);
        return new ExpectedBackup(folder.paths(), folder.label(), archives, manifest, null, null, false);
    }

    String object(String name) {
        return paths.object(label, name);
    }

    List<ArchivePlace> places() {
        return archives.stream().map(archive -> ArchivePlace.of(archive.name())).toList();
    }

    long storedBytes() {
        return archives.stream().mapToLong(Archive::storedBytes).sum()
                + (manifest == null ? 0 : manifest.bytes())
                + (digests == null ? 0 : digests.bytes());
    }

    /** The names of objects in a folder that belong to no backup. */
    List<String> strangers(Map<String, ?> objects) {
        return objects.keySet().stream()
                .filter(name -> !name.equals(BackupPaths.BACKUP_JSON)
                        && !name.equals(BackupPaths.MANIFEST)
                        && !(name.equals(BackupPaths.BLOCK_DIGESTS) && (digests != null || !documented))
                        && !name.equals(BackupPaths.WRITING_JSON)
                        && !name.matches("writing-[^/]*\\.json")
                        && !name.startsWith(NoteName.FOLDER)
                        && archives.stream()
                                .noneMatch(archive -> archive.object().equals(name)))
                .toList();
    }
}
