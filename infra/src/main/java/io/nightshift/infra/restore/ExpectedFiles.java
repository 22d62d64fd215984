package io.nightshift.infra.restore;

import io.nightshift.infra.backup.MemberPath;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The files that the manifest lists and that have not come yet. By the rules of pg_verifybackup: each must come once,
 * with its size and checksum; none may come that is not listed, but WAL and what servers and tools add. Thread-safe.
 */
final class ExpectedFiles {

    private static final Set<String> NEVER_LISTED =
            Set.of("backup_manifest", "postgresql.auto.conf", "recovery.signal", "standby.signal");

    /** By path as {@link MemberPath} spells it, because the names in a tar need not be UTF-8. */
    private final Map<String, ManifestFile> files = new ConcurrentHashMap<>();

    private final Set<String> kept = ConcurrentHashMap.newKeySet();

    ExpectedFiles(BackupManifest manifest) {
        manifest.files().forEach(file -> files.put(MemberPath.decode(file.pathBytes()), file));
    }

    private ExpectedFiles(Map<String, ManifestFile> files) {
        this.files.putAll(files);
    }

    /** Only those of an older backup that a newer one builds on. */
    ExpectedFiles only(Set<String> needed) {
        Map<String, ManifestFile> only = new HashMap<>();
        needed.forEach(path -> find(path).ifPresent(file -> only.put(path, file)));
        return new ExpectedFiles(only);
    }

    Set<String> paths() {
        return files.keySet();
    }

    /** Of all files that have not come. */
    long bytes() {
        return files.values().stream().mapToLong(ManifestFile::size).sum();
    }

    /** Whether a file is listed and has not come. */
    boolean isMissing(String path) {
        return files.containsKey(path);
    }

    /** Files that are there already, complete and equal to the manifest: they are not to be written again. */
    void keep(Set<String> paths) {
        kept.addAll(paths);
        paths.forEach(files::remove);
    }

    boolean isKept(String path) {
        return kept.contains(path);
    }

    /** What the manifest says of all files that have not come. */
    Map<String, ManifestFile> missing() {
        return Map.copyOf(files);
    }

    /** What the manifest says of a file; empty for those that need not be listed. */
    Optional<ManifestFile> find(String path) {
        ManifestFile file = files.get(path);
        if (file == null && !NEVER_LISTED.contains(path) && !path.startsWith("pg_wal/")) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED, "file " + path + " is not in the manifest, or twice in the backup");
        }
        return Optional.ofNullable(file);
    }

    /** Files are complete and equal to the manifest. */
    void came(List<String> paths) {
        paths.forEach(files::remove);
    }

    /** Fails if a file has not come. */
    void requireAll() {
        if (!files.isEmpty()) {
            List<String> missing = new ArrayList<>(files.keySet());
            missing.sort(null);
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    missing.size() + " files are in the manifest but not in the backup, the first by name: "
                            + missing.get(0));
        }
    }
}
