package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.SystemIdentifier;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The object names of a cluster's backups: one folder for each major version and system identifier, so that the backups
 * of before a pg_upgrade stay what they were.
 *
 * @param cluster its name in the configuration
 * @param major such as 18
 */
public record BackupPaths(String cluster, int major, SystemIdentifier systemIdentifier) {

    public static final String BACKUP_JSON = "backup.json";
    public static final String WRITING_JSON = "writing.json";
    public static final String MANIFEST = "backup_manifest";
    public static final String BLOCK_DIGESTS = "block_digests.zst";

    private static final Pattern FOLDER = Pattern.compile("(\\d{2,3})-(\\d{1,20})");

    /** The folder of the cluster's backups and WAL, without a slash at its end. */
    public String folder() {
        return cluster + "/" + major + "-" + systemIdentifier;
    }

    public String backups() {
        return folder() + "/backups";
    }

    public String backup(BackupLabel label) {
        return backups() + "/" + label;
    }

    /** An object of a backup, such as {@code backup.json}. */
    public String object(BackupLabel label, String name) {
        return backup(label) + "/" + name;
    }

    /** The stored object of an archive that the server calls {@code base.tar}. */
    public String archive(BackupLabel label, String archiveName) {
        return object(label, archiveName + ".zst");
    }

    /** Reads a folder's name below a cluster; empty if it is none of ours. */
    public static Optional<BackupPaths> parse(String cluster, String folder) {
        Matcher parts = FOLDER.matcher(folder);
        if (!parts.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new BackupPaths(cluster, Integer.parseInt(parts.group(1)), SystemIdentifier.parse(parts.group(2))));
        } catch (NumberFormatException tooLarge) {
            return Optional.empty();
        }
    }
}
