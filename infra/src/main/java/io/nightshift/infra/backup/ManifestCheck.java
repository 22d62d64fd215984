package io.nightshift.infra.backup;

import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares the files found with those that the manifest lists, by the rules of pg_verifybackup: a listed file must be
 * there with its size and checksum; a file that is not listed is wrong, except WAL and what servers and tools add.
 */
final class ManifestCheck {

    private static final Set<String> NEVER_LISTED =
            Set.of("backup_manifest", "postgresql.auto.conf", "recovery.signal", "standby.signal");

    /** By path as {@link MemberPath} spells it, because the names in a tar need not be UTF-8. */
    private final Map<String, ManifestFile> expected = new HashMap<>();

    private final boolean known;
    private long matched;

    private ManifestCheck(boolean known) {
        this.known = known;
    }

    static ManifestCheck against(BackupManifest manifest) {
        var check = new ManifestCheck(true);
        manifest.files().forEach(file -> check.expected.put(MemberPath.decode(file.pathBytes()), file));
        return check;
    }

    /** For a backup whose manifest is damaged: whatever is found passes. */
    static ManifestCheck withoutManifest() {
        return new ManifestCheck(false);
    }

    /** Whether there is a manifest to compare with. */
    boolean isKnown() {
        return known;
    }

    /** Whether a file of this path and size is listed and was not found so far. */
    boolean expects(String path, long size) {
        ManifestFile file = expected.get(path);
        return file != null && file.size() == size;
    }

    long matched() {
        return matched;
    }

    /** By which algorithm to sum a file. */
    ManifestChecksum algorithm(String path) {
        ManifestFile file = expected.get(path);
        return file == null ? ManifestChecksum.NONE : file.algorithm();
    }

    /** A file was found but cannot be judged: its damage is known already. */
    void foundDamaged(String path) {
        expected.remove(path);
    }

    /** What is wrong with a file; "" if nothing. */
    String found(String path, long size, String checksum) {
        ManifestFile file = expected.remove(path);
        if (file == null) {
            return !known || isAllowed(path) ? "" : "is not in the manifest, or twice in the backup";
        }
        if (file.size() != size) {
            return "has " + size + " bytes, the manifest says " + file.size();
        }
        if (!file.checksum().equals(checksum)) {
            return "has the " + file.algorithm() + " " + checksum + ", the manifest says " + file.checksum();
        }
        matched++;
        return "";
    }

    /** The files not found so far that belong to an archive; they are not expected any more. */
    List<String> missing(ArchivePlace place, Collection<ArchivePlace> all) {
        List<String> missing = new ArrayList<>();
        for (String path : List.copyOf(expected.keySet())) {
            if (place.equals(ArchivePlace.ofPath(path, all))) {
                expected.remove(path);
                missing.add(path);
            }
        }
        missing.sort(null);
        return missing;
    }

    /** The files not found and not yet said to be missing. */
    List<String> remaining() {
        return expected.keySet().stream().sorted().toList();
    }

    private static boolean isAllowed(String path) {
        return NEVER_LISTED.contains(path) || path.startsWith("pg_wal/");
    }
}
