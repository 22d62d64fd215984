package io.nightshift.infra.incremental;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A file of changed blocks that arrives in pieces of any size: its header first, then block after block. DATA_DAMAGED as
 * soon as it is seen not to be one. Not thread-safe.
 */
public final class IncrementalFile {

    /** Who gets what is in it. */
    public interface Receiver {

        /** Comes before all blocks, also when there are none. */
        void header(IncrementalHeader header);

        /**
         * Content of a block, in order; a block may come in several parts.
         *
         * @param block from the beginning of the relation file
         * @param at where in the block it belongs, bytes
         */
        void block(int block, int at, byte[] bytes, int offset, int length);
    }

    private final String path;
    private final Receiver receiver;
    private byte[] head = new byte[IncrementalHeader.FIXED];
    private int inHead;
    private long position;
    private @Nullable IncrementalHeader header;
    private int block = -1;
    private int inBlock;

    /** @param path for messages */
    public IncrementalFile(String path, Receiver receiver) {
        this.path = path;
        this.receiver = receiver;
    }

    public void accept(byte[] bytes, int offset, int length) {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            int taken = header == null ? takeHead(bytes, at, end - at) : takeContent(header, bytes, at, end - at);
            at += taken;
            position += taken;
        }
    }

    /** All of it has passed. */
    public void finish() {
        if (header == null) {
            throw IncrementalHeader.damaged(path, "it ends after " + position + " bytes, inside its header");
        }
        if (position != header.fileSize()) {
            throw IncrementalHeader.damaged(
                    path, "it has " + position + " bytes, its header announces " + header.fileSize());
        }
    }

    private int takeHead(byte[] bytes, int at, int available) {
        int count = Math.min(head.length - inHead, available);
        System.arraycopy(bytes, at, head, inHead, count);
        inHead += count;
        if (inHead == IncrementalHeader.FIXED) {
            head = Arrays.copyOf(head, IncrementalHeader.bytes(path, ByteBuffer.wrap(head)));
        }
        if (inHead == head.length) {
            header = IncrementalHeader.parse(path, ByteBuffer.wrap(head));
            block = header.blocks().nextSetBit(0);
            receiver.header(header);
        }
        return count;
    }

    private int takeContent(IncrementalHeader known, byte[] bytes, int at, int available) {
        long padding = known.contentOffset() - position;
        if (padding > 0) {
            return (int) Math.min(padding, available);
        }
        if (block < 0) {
            throw IncrementalHeader.damaged(path, "it goes on behind its last block");
        }
        int count = Math.min(RelationSegment.BLOCK_SIZE - inBlock, available);
        receiver.block(block, inBlock, bytes, at, count);
        inBlock += count;
        if (inBlock == RelationSegment.BLOCK_SIZE) {
            inBlock = 0;
            block = known.blocks().nextSetBit(block + 1);
        }
        return count;
    }
}
