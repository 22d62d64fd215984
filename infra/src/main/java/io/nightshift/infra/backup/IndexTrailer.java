package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The last 64 bytes of an archive, little endian: {@code NSARCIDX}, format version u32, checksum algorithm u32, offset of
 * the index frame u64, bytes of the tar u64, frames u32, members u64, length of the compressed frame list u32, of
 * the compressed member list u32, CRC32C of the two lists u32, two unused u32, CRC32C of all before it u32. They lie inside the skippable frame
 * (RFC 8878, 3.1.2), so that zstd passes over them.
 */
record IndexTrailer(
        int formatVersion,
        ManifestChecksum algorithm,
        long indexOffset,
        long rawBytes,
        int frames,
        long members,
        int framesLength,
        int membersLength,
        int listsCrc) {

    static final int BYTES = 64;
    static final int FORMAT_VERSION = 1;
    static final int SKIPPABLE_MAGIC = 0x184D2A5A;
    /** Magic and length of the skippable frame. */
    static final int FRAME_HEADER = 8;

    /** An algorithm's number is its place here: appended to, never reordered. */
    private static final List<ManifestChecksum> ALGORITHMS = List.of(
            ManifestChecksum.NONE,
            ManifestChecksum.CRC32C,
            ManifestChecksum.SHA224,
            ManifestChecksum.SHA256,
            ManifestChecksum.SHA384,
            ManifestChecksum.SHA512);

    private static final long MAGIC = 0x584449435241534EL;

    byte[] bytes() {
        ByteBuffer trailer = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        trailer.putLong(MAGIC)
                .putInt(formatVersion)
                .putInt(ALGORITHMS.indexOf(algorithm))
                .putLong(indexOffset)
                .putLong(rawBytes)
                .putInt(frames)
                .putLong(members)
                .putInt(framesLength)
                .putInt(membersLength)
                .putInt(listsCrc);
        trailer.putInt(BYTES - 4, crc(trailer.array(), BYTES - 4));
        return trailer.array();
    }

    /** Empty if these are not the last bytes of an undamaged archive. */
    static Optional<IndexTrailer> parse(byte[] last) {
        ByteBuffer trailer = ByteBuffer.wrap(last).order(ByteOrder.LITTLE_ENDIAN);
        if (last.length != BYTES || trailer.getLong() != MAGIC || trailer.getInt(BYTES - 4) != crc(last, BYTES - 4)) {
            return Optional.empty();
        }
        int formatVersion = trailer.getInt();
        int algorithm = trailer.getInt();
        if (formatVersion != FORMAT_VERSION || algorithm < 0 || algorithm >= ALGORITHMS.size()) {
            return Optional.empty();
        }
        return Optional.of(new IndexTrailer(
                formatVersion,
                ALGORITHMS.get(algorithm),
                trailer.getLong(),
                trailer.getLong(),
                trailer.getInt(),
                trailer.getLong(),
                trailer.getInt(),
                trailer.getInt(),
                trailer.getInt()));
    }

    /** Bytes from the beginning of the index frame to the end of the archive. */
    long indexBytes() {
        return FRAME_HEADER + (long) framesLength + membersLength + BYTES;
    }

    private static int crc(byte[] bytes, int length) {
        var crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
