package io.nightshift.infra.incremental;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Writes the digests of all blocks of all relation files, as they were on the server. Those of a file that the parent has, too,
 * are written as the exclusive or of both: what has not changed is zero and compresses to next to nothing, and the digests of a
 * chain are had by reading those of all its backups, the oldest first.
 *
 * <p>All numbers are big endian: magic, format version, seed of the hash, label and parent (as {@link
 * java.io.DataOutput#writeUTF}; the parent of a full backup is empty); then for each file a 1, the numbers of tablespace,
 * database and filenode (8 bytes each), of the segment and of its blocks (4 bytes each), and {@value BlockHash#BYTES} bytes for
 * each block; at the end a 0, the number of files (8 bytes), and the CRC-32C of all that is said of files, with the digests as
 * they are once the parent's are taken out.
 */
final class DigestsWriter {

    static final long MAGIC = 0x6e73_6469_6765_7374L; // "nsdigest"
    static final int FORMAT_VERSION = 1;
    static final int FILE = 1;
    static final int FILE_HEAD = 3 * Long.BYTES + 2 * Integer.BYTES;
    static final int END = 0;

    private final DataOutputStream out;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer digests = ByteBuffer.allocate(512 * BlockHash.BYTES);
    private final ByteBuffer changes = ByteBuffer.allocate(512 * BlockHash.BYTES);
    private long files;

    DigestsWriter(OutputStream to, byte[] seed, String label, String parent) throws IOException {
        out = new DataOutputStream(to);
        out.writeLong(MAGIC);
        out.writeInt(FORMAT_VERSION);
        out.write(seed);
        out.writeUTF(label);
        out.writeUTF(parent);
    }

    /**
     * Writes those of one file.
     *
     * @param now two elements for each block
     * @param before the parent's, {@code known} blocks of them
     */
    void file(RelationSegment segment, long[] now, int blocks, long[] before, int known) throws IOException {
        out.writeByte(FILE);
        digests.putLong(segment.fork().tablespace())
                .putLong(segment.fork().database())
                .putLong(segment.fork().filenode())
                .putInt(segment.number())
                .putInt(blocks);
        changes.put(digests.array(), 0, digests.position());
        flush();
        for (int at = 0; at < 2 * blocks; at++) {
            digests.putLong(now[at]);
            changes.putLong(at < 2 * known ? now[at] ^ before[at] : now[at]);
            if (!digests.hasRemaining()) {
                flush();
            }
        }
        flush();
        files++;
    }

    /** The stream stays open. */
    void finish() throws IOException {
        out.writeByte(END);
        out.writeLong(files);
        out.writeInt((int) crc.getValue());
        out.flush();
    }

    private void flush() throws IOException {
        crc.update(digests.flip());
        out.write(changes.array(), 0, changes.position());
        digests.clear();
        changes.clear();
    }
}
