package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdCompressCtx;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The memory of one frame on its way: filled by one thread, then compressed by another while a third sums its members,
 * stored by a fourth, then used again.
 */
final class ArchiveBlock {

    private final ByteBuffer raw = ByteBuffer.allocateDirect(ArchiveFormat.LARGEST_FRAME);
    private final ByteBuffer stored = ByteBuffer.allocateDirect(ArchiveFormat.LARGEST_STORED_FRAME);
    private final List<MemberPiece> pieces = new ArrayList<>();
    private int crc32c;

    /** What is to be compressed; its position is the fill. */
    ByteBuffer raw() {
        return raw;
    }

    /** Whose content it is, in the order of the tar. */
    List<MemberPiece> pieces() {
        return pieces;
    }

    /** The frame, ready to be read. */
    ByteBuffer stored() {
        return stored.duplicate();
    }

    int crc32c() {
        return crc32c;
    }

    boolean isEmpty() {
        return raw.position() == 0;
    }

    ArchiveBlock compress(ZstdCompressCtx context) {
        stored.clear();
        int length = context.compressDirectByteBuffer(stored, 0, stored.capacity(), raw, 0, raw.position());
        stored.position(0).limit(length);
        var crc = new CRC32C();
        crc.update(stored.duplicate());
        crc32c = (int) crc.getValue();
        return this;
    }

    void clear() {
        raw.clear();
        pieces.clear();
    }
}
