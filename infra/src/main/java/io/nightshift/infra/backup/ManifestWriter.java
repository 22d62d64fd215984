package io.nightshift.infra.backup;

import io.nightshift.infra.storage.StoredObjectWriter;

/** Stores the backup manifest as it comes, because it may be large: that of a cluster of a million files has 150 MB. */
public final class ManifestWriter extends SummedObject {

    ManifestWriter(StoredObjectWriter out) {
        super(out);
    }

    /** Makes it durable. */
    public BackupDocument.Manifest finish() {
        String sha256 = commit();
        return new BackupDocument.Manifest(BackupPaths.MANIFEST, bytes(), sha256);
    }
}
