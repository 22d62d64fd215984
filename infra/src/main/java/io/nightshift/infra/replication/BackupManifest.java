package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.SystemIdentifier;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A backup manifest (PostgreSQL manual, "Backup Manifest Format"; version 1 up to PostgreSQL 16, version 2 from 17).
 *
 * @param systemIdentifier of the cluster; null in version 1, which has none
 * @param files every file of the backup but the WAL segments and the manifest itself
 * @param walRanges newest timeline first
 * @param checksum SHA-256 of the manifest, lower-case hexadecimal, as it stands in its last line; verified. Empty of one
 *     that was not read
 */
public record BackupManifest(
        int version,
        @Nullable SystemIdentifier systemIdentifier,
        List<ManifestFile> files,
        List<WalRange> walRanges,
        String checksum) {

    public BackupManifest {
        files = List.copyOf(files);
        walRanges = List.copyOf(walRanges);
    }

    /**
     * Reads a manifest to its end and verifies its own checksum. The stream stays open.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException of kind DATA_DAMAGED for whatever is not a whole and
     *     unchanged manifest
     * @throws IOException only if the stream itself cannot be read
     */
    public static BackupManifest parse(InputStream in) throws IOException {
        return ManifestParser.parse(in);
    }

    /** Writes it as a server does, without the times of the files, and with a checksum of its own. The stream stays open. */
    public void writeTo(OutputStream out) throws IOException {
        new ManifestPrinter(out).print(this);
    }

    /** The same manifest of some of the files. */
    public BackupManifest only(Predicate<ManifestFile> wanted) {
        return new BackupManifest(
                version, systemIdentifier, files.stream().filter(wanted).toList(), walRanges, "");
    }
}
