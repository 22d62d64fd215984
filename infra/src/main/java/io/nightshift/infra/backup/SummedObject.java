package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * An object that is stored as it is written, byte for byte, and summed meanwhile. Closing before {@link #commit()} leaves
 * nothing in the storage. Its failures are those of the storage, never an IOException. For one thread.
 */
abstract sealed class SummedObject extends OutputStream permits ManifestWriter, DigestsObject {

    private final StoredObjectWriter out;
    private final MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
    private long bytes;

    SummedObject(StoredObjectWriter out) {
        this.out = out;
    }

    @Override
    public void write(int one) {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] buffer, int offset, int length) {
        sha256.update(buffer, offset, length);
        out.write(buffer, offset, length);
        bytes += length;
    }

    /** Makes it durable, and returns the SHA-256, hexadecimal. */
    String commit() {
        out.commit();
        return HexFormat.of().formatHex(sha256.digest());
    }

    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        out.close();
    }
}
