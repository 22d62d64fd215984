package io.nightshift.infra.incremental;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;

/**
 * What a file of changed blocks begins with (PostgreSQL's {@code basebackup_incremental.c}): a magic number, how many blocks
 * there are, the length of the file without its tail, and the number of each block. The blocks follow in the same order, on
 * a multiple of their size.
 *
 * @param blocks from the beginning of the file, ascending
 * @param length blocks that the file has at least; what an older backup has behind them was cut off since
 */
public record IncrementalHeader(BitSet blocks, int length) {

    /** Bytes before the numbers of the blocks. */
    static final int FIXED = 12;

    private static final int MAGIC = 0xD3AE1F0D;

    /** How many bytes the header has whose first {@value #FIXED} these are; DATA_DAMAGED if it is none. */
    static int bytes(String path, ByteBuffer fixed) {
        ByteBuffer in = fixed.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int magic = in.getInt();
        int count = in.getInt();
        if (magic != MAGIC) {
            throw damaged(path, "it begins with " + Integer.toHexString(magic));
        }
        if (count < 0 || count > RelationSegment.BLOCKS) {
            throw damaged(path, "it announces " + Integer.toUnsignedString(count) + " blocks");
        }
        return FIXED + count * Integer.BYTES;
    }

    /** Reads a whole header; DATA_DAMAGED if it is none. */
    static IncrementalHeader parse(String path, ByteBuffer header) {
        ByteBuffer in = header.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        in.getInt();
        int count = in.getInt();
        int length = in.getInt();
        if (length < 0) {
            throw damaged(path, "its length is " + Integer.toUnsignedString(length) + " blocks");
        }
        var blocks = new BitSet();
        int last = -1;
        for (int i = 0; i < count; i++) {
            int block = in.getInt();
            if (block <= last || block >= RelationSegment.BLOCKS) {
                throw damaged(path, "block " + Integer.toUnsignedString(block) + " follows block " + last);
            }
            blocks.set(block);
            last = block;
        }
        // Servers before February 2026 could announce more than a file can have.
        return new IncrementalHeader(blocks, Math.min(length, RelationSegment.BLOCKS));
    }

    /** As it stands in the file, with the zeros up to the first block. */
    byte[] bytes() {
        ByteBuffer out = ByteBuffer.allocate(contentOffset()).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(MAGIC).putInt(blocks.cardinality()).putInt(length);
        blocks.stream().forEach(out::putInt);
        return out.array();
    }

    /** Where the first block begins in the file, bytes. */
    int contentOffset() {
        int bytes = FIXED + blocks.cardinality() * Integer.BYTES;
        return blocks.isEmpty() ? bytes : (bytes + RelationSegment.BLOCK_SIZE - 1) & -RelationSegment.BLOCK_SIZE;
    }

    /** The bytes of the whole file. */
    long fileSize() {
        return contentOffset() + (long) blocks.cardinality() * RelationSegment.BLOCK_SIZE;
    }

    static NightshiftException damaged(String path, String what) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED, "file " + path + " is not a file of changed blocks: " + what);
    }
}
