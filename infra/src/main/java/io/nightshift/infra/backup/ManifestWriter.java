package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Stores the backup manifest as it comes, byte for byte: that of a cluster of a million files has 150 MB. Closing before
 * {@link #finish()} leaves nothing in the storage. For one thread.
 */
public final class ManifestWriter implements AutoCloseable {

    private final StoredObjectWriter out;
    private final MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
    private long bytes;

    ManifestWriter(StoredObjectWriter out) {
        this.out = out;
    }

    public void write(byte[] buffer, int offset, int length) {
        sha256.update(buffer, offset, length);
        out.write(buffer, offset, length);
        bytes += length;
    }

    /** Makes it durable. */
    public BackupDocument.Manifest finish() {
        out.commit();
        return new BackupDocument.Manifest(
                BackupPaths.MANIFEST, bytes, HexFormat.of().formatHex(sha256.digest()));
    }

    @Override
    public void close() {
        out.close();
    }
}
