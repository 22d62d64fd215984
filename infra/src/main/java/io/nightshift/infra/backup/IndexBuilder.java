package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import io.nightshift.infra.replication.ManifestChecksum;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** Collects the index of an archive while it is written, compressed as it grows. One thread adds frames, one members. */
final class IndexBuilder {

    private final ManifestChecksum algorithm;
    private final ByteArrayOutputStream frameList = new ByteArrayOutputStream();
    private final ByteArrayOutputStream memberList = new ByteArrayOutputStream();
    private final OutputStream frames = pack(frameList);
    private final OutputStream members = pack(memberList);
    private int frameCount;
    private long memberCount;
    private long storedBytes;
    private long rawBytes;
    private long memberEnd;

    IndexBuilder(ManifestChecksum algorithm) {
        this.algorithm = algorithm;
    }

    void frame(int storedLength, int rawLength, int crc32c) {
        try {
            varint(frames, storedLength);
            varint(frames, rawLength);
            crc(frames, crc32c);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        frameCount++;
        storedBytes += storedLength;
        rawBytes += rawLength;
    }

    void member(TarHeader header, long headerOffset, int crc32c, byte[] sha) {
        byte[] path = MemberPath.encode(header.path());
        try {
            varint(members, path.length);
            members.write(path);
            members.write(header.type().flag());
            varint(members, headerOffset - memberEnd);
            varint(members, header.size());
            crc(members, crc32c);
            members.write(sha);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        memberCount++;
        memberEnd = headerOffset + TarHeader.BLOCK + TarHeader.padded(header.size());
    }

    /** The skippable frame that ends the archive, and what a reader will make of it. */
    Built build(String archive) {
        try {
            frames.close();
            members.close();
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        byte[] lists = new byte[frameList.size() + memberList.size()];
        System.arraycopy(frameList.toByteArray(), 0, lists, 0, frameList.size());
        System.arraycopy(memberList.toByteArray(), 0, lists, frameList.size(), memberList.size());
        var crc = new CRC32C();
        crc.update(lists);
        var trailer = new IndexTrailer(
                IndexTrailer.FORMAT_VERSION,
                algorithm,
                storedBytes,
                rawBytes,
                frameCount,
                memberCount,
                frameList.size(),
                memberList.size(),
                (int) crc.getValue());
        ByteBuffer frame = ByteBuffer.allocate(IndexTrailer.FRAME_HEADER + lists.length + IndexTrailer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(IndexTrailer.SKIPPABLE_MAGIC)
                .putInt(lists.length + IndexTrailer.BYTES)
                .put(lists)
                .put(trailer.bytes())
                .flip();
        return new Built(frame, ArchiveIndex.decode(trailer, lists, archive));
    }

    /** The bytes to store, and the index they hold. */
    record Built(ByteBuffer frame, ArchiveIndex index) {}

    private static OutputStream pack(ByteArrayOutputStream list) {
        try {
            return new BufferedOutputStream(new ZstdOutputStreamNoFinalizer(list, 3).setChecksum(true), 1 << 14);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
    }

    private static void varint(OutputStream out, long value) throws IOException {
        long left = value;
        while (left >= 0x80) {
            out.write((int) (left & 0x7F) | 0x80);
            left >>>= 7;
        }
        out.write((int) left);
    }

    private static void crc(OutputStream out, int crc32c) throws IOException {
        out.write(crc32c);
        out.write(crc32c >>> 8);
        out.write(crc32c >>> 16);
        out.write(crc32c >>> 24);
    }
}
