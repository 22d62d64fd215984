package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** Stores the block digests of a backup, compressed, while its archives are written. */
final class DigestsObject extends SummedObject {

    private final ZstdOutputStreamNoFinalizer compressed;

    DigestsObject(StoredObjectWriter out) {
        super(out);
        try {
            compressed = new ZstdOutputStreamNoFinalizer(this, 1).setChecksum(true);
        } catch (IOException outOfMemory) {
            throw new UncheckedIOException(outOfMemory);
        }
    }

    /** Where they go, uncompressed. */
    OutputStream digests() {
        return compressed;
    }

    /** Makes them durable. */
    BackupDocument.Digests finish() {
        try {
            compressed.closeWithoutClosingParentStream();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        String sha256 = commit();
        return new BackupDocument.Digests(BackupPaths.BLOCK_DIGESTS, bytes(), sha256);
    }

    /** Frees the memory of the compression, too. */
    @Override
    public void close() {
        try {
            compressed.closeWithoutClosingParentStream();
        } catch (IOException | RuntimeException givenUp) {
            // What it still wanted to write is not wanted.
        }
        super.close();
    }
}
