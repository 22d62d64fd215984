package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdCompressCtx;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The memory of one frame on its way: filled by one thread, compressed by another, stored by a third, then used again. */
final class ArchiveBlock implements AutoCloseable {

    private final ByteBuffer raw = ByteBuffer.allocateDirect(ArchiveFormat.LARGEST_FRAME);
    private final ByteBuffer stored = ByteBuffer.allocateDirect(ArchiveFormat.LARGEST_STORED_FRAME);
    private final ZstdCompressCtx context;
    private int crc32c;

    ArchiveBlock(int level) {
        this.context = new ZstdCompressCtx().setLevel(level).setChecksum(true);
    }

    /** What is to be compressed; its position is the fill. */
    ByteBuffer raw() {
        return raw;
    }

    /** The frame, ready to be read. */
    ByteBuffer stored() {
        return stored.duplicate();
    }

    int crc32c() {
        return crc32c;
    }

    ArchiveBlock compress() {
        stored.clear();
        int length = context.compressDirectByteBuffer(stored, 0, stored.capacity(), raw, 0, raw.position());
        stored.position(0).limit(length);
        var crc = new CRC32C();
        crc.update(stored.duplicate());
        crc32c = (int) crc.getValue();
        return this;
    }

    @Override
    public void close() {
        context.close();
    }
}
