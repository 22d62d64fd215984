package io.nightshift.infra.backup;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.RunId;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What {@code backup.json} says: everything needed to verify and restore the backup from its storage alone. Its last
 * line is the SHA-256 of all before it, as in PostgreSQL's own manifest. Readers ignore fields they do not know.
 *
 * @param formatVersion of this document
 * @param parent the backup that this one needs; null for a full
 * @param startLsn where WAL replay begins
 * @param endLsn up to where WAL is needed for a consistent restore
 * @param wal whether the WAL needed is inside the backup or in the archive
 * @param archives in the order in which the server sent them, {@code base.tar} last
 * @param digests of the blocks, for the next backup; null where the server tells what has changed, and in older documents
 * @param bytes of all archives, unpacked
 * @param storedBytes of all objects
 * @param method how the backup was taken
 * @param source the server that sent it
 * @param labels what people wrote on it, such as a ticket number
 * @param toolVersion of Nightshift
 */
public record BackupDocument(
        int formatVersion,
        BackupLabel label,
        String cluster,
        BackupType type,
        @Nullable BackupLabel parent,
        SystemIdentifier systemIdentifier,
        int major,
        Timeline timeline,
        Lsn startLsn,
        Lsn endLsn,
        Wal wal,
        List<Archive> archives,
        Manifest manifest,
        @Nullable Digests digests,
        long bytes,
        long storedBytes,
        Instant startedAt,
        Instant endedAt,
        Method method,
        Source source,
        Map<String, String> labels,
        RunId run,
        String node,
        String toolVersion) {

    public static final int FORMAT_VERSION = 1;

    /** Where the WAL lies that a restore needs. */
    public enum Wal {
        @JsonProperty("included")
        INCLUDED,
        @JsonProperty("archive")
        ARCHIVE
    }

    /**
     * A stored archive.
     *
     * @param object its name inside the backup, such as {@code base.tar.zst}
     * @param bytes of the tar
     * @param sha256 of the stored bytes, hexadecimal
     * @param tablespace the oid; null for the data directory
     * @param location of the tablespace at the source; "" for the data directory
     */
    public record Archive(
            String object,
            long bytes,
            long storedBytes,
            String sha256,
            @Nullable String tablespace,
            String location) {

        /** As the server called it: {@code base.tar} or {@code 16575.tar}. */
        public String name() {
            return tablespace == null ? "base.tar" : tablespace + ".tar";
        }

        public static Archive of(StoredArchive stored) {
            String oid = stored.name().substring(0, stored.name().length() - ".tar".length());
            return new Archive(
                    stored.object().substring(stored.object().lastIndexOf('/') + 1),
                    stored.rawBytes(),
                    stored.storedBytes(),
                    stored.sha256(),
                    oid.equals("base") ? null : oid,
                    stored.location());
        }
    }

    /** The stored manifest; {@code object} inside the backup. */
    public record Manifest(String object, long bytes, String sha256) {}

    /** The stored digests of all blocks of relation files; a restore does not need them. */
    public record Digests(String object, long bytes, String sha256) {}

    /**
     * How a backup was taken.
     *
     * @param checkpoint {@code fast} or {@code spread}
     * @param compression such as {@code zstd:3}
     * @param checksum of the files in the manifest
     */
    public record Method(String checkpoint, String compression, ManifestChecksum checksum) {}

    /**
     * The server as it was. A restore needs its settings where they lay outside the data directory, as on Debian.
     *
     * @param version such as {@code 18.6}
     * @param inRecovery whether it was a standby
     * @param damage pages that were already wrong on it
     * @param settings of pg_settings that differ from the built-in values, by name; with their units
     * @param fileSettings the lines of its configuration files, from pg_file_settings
     * @param hba the rules of its pg_hba.conf in order, from pg_hba_file_rules, each as a line of that file
     */
    public record Source(
            String version,
            boolean inRecovery,
            List<SourceDamage> damage,
            Map<String, String> settings,
            List<FileSetting> fileSettings,
            List<String> hba) {

        public Source {
            Objects.requireNonNull(version, "the version of the source is missing");
            damage = List.copyOf(damage);
            settings = sorted(settings);
            fileSettings = List.copyOf(fileSettings);
            hba = List.copyOf(hba);
        }
    }

    /** One line of a configuration file of the source; a later line overrules an earlier one. */
    public record FileSetting(String file, int line, String name, String setting) {}

    /**
     * A page that failed its checksum on the server.
     *
     * @param path from the data directory on; "" for files that the server did not name, or that were too many to list
     * @param block counted from the beginning of the file; -1 for pages that the server has counted but not named
     */
    public record SourceDamage(String path, long block) {}

    public BackupDocument {
        // Jackson passes null for what a document lacks.
        for (Object needed : Arrays.asList(
                label, cluster, type, systemIdentifier, timeline, startLsn, endLsn, wal, manifest, method, source)) {
            Objects.requireNonNull(needed, "a field is missing");
        }
        if (type.needsParent() == (parent == null)) {
            throw new IllegalArgumentException(
                    parent == null ? "a backup of type " + type + " names no parent" : "a full backup names a parent");
        }
        archives = List.copyOf(archives);
        labels = sorted(labels);
    }

    /** Every process must write the same bytes: a restart compares them with what is stored. */
    private static Map<String, String> sorted(Map<String, String> map) {
        return Collections.unmodifiableMap(new TreeMap<>(map));
    }

    public BackupPaths paths() {
        return new BackupPaths(cluster, major, systemIdentifier);
    }
}
