package io.nightshift.infra.backup;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The outline of a zstd frame, found without unpacking it (RFC 8878, 3.1.1). Only frames such as our writer makes count:
 * with their checksum and the length of their content, no longer than our longest.
 *
 * @param storedLength bytes of the frame
 * @param rawLength bytes of its content, as its header says
 */
record ZstdFrame(int storedLength, int rawLength) {

    static final int MAGIC = 0xFD2FB528;

    private static final int CHECKSUM = 0x04;
    private static final int SINGLE_SEGMENT = 0x20;
    private static final int LARGEST_BLOCK = 128 * 1024;
    private static final int RLE = 1;
    private static final int RESERVED = 3;

    /**
     * Walks over the blocks of a frame.
     *
     * @param bytes little endian, from the frame's first byte to the end of what is there
     * @return empty if this is no frame, or if it goes on behind the end
     */
    static Optional<ZstdFrame> outline(ByteBuffer bytes) {
        ByteBuffer at = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (at.remaining() < 8 || at.getInt() != MAGIC) {
            return Optional.empty();
        }
        long rawLength = contentSize(at);
        if (rawLength <= 0 || rawLength > ArchiveFormat.LARGEST_FRAME || !passBlocks(at)) {
            return Optional.empty();
        }
        return Optional.of(new ZstdFrame(at.position(), (int) rawLength));
    }

    /** -1 if the header is none of ours. */
    private static long contentSize(ByteBuffer at) {
        int descriptor = at.get();
        boolean single = (descriptor & SINGLE_SEGMENT) != 0;
        boolean ours = (descriptor & CHECKSUM) != 0 && (descriptor & 0x0B) == 0;
        int sizeFlag = (descriptor >> 6) & 3;
        int sizeBytes = sizeFlag == 0 ? (single ? 1 : 0) : 1 << sizeFlag;
        if (!ours || sizeBytes == 0 || at.remaining() < sizeBytes + 1) {
            return -1;
        }
        if (!single) {
            at.get();
        }
        return switch (sizeBytes) {
            case 1 -> at.get() & 0xFF;
            case 2 -> (at.getShort() & 0xFFFF) + 256;
            case 4 -> at.getInt() & 0xFFFF_FFFFL;
            default -> at.getLong();
        };
    }

    private static boolean passBlocks(ByteBuffer at) {
        boolean last = false;
        while (!last) {
            if (at.remaining() < 3) {
                return false;
            }
            int header = (at.get() & 0xFF) | (at.get() & 0xFF) << 8 | (at.get() & 0xFF) << 16;
            last = (header & 1) != 0;
            int type = (header >> 1) & 3;
            int size = header >> 3;
            int stored = type == RLE ? 1 : size;
            if (type == RESERVED || size > LARGEST_BLOCK || at.remaining() < stored) {
                return false;
            }
            at.position(at.position() + stored);
        }
        if (at.remaining() < 4) {
            return false;
        }
        at.getInt();
        return true;
    }
}
