package io.nightshift.infra.incremental;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * The blocks of one relation file that may be needed once all of it has passed: a tar says the size of a file before its
 * content. They are in memory up to {@value #MEMORY} bytes, and behind that in a temporary file. Not thread-safe.
 *
 * <p>As PostgreSQL does, a file of which more than nine in ten blocks have changed is sent whole. So unchanged blocks are
 * held, too, as long as it may come to that: while all are in memory, and as long as at most one in ten so far was unchanged.
 * A large file whose first blocks were unchanged and all others changed comes out as changed blocks, which is as right.
 */
final class HeldBlocks implements AutoCloseable {

    private static final int BLOCK = RelationSegment.BLOCK_SIZE;
    private static final int MEMORY = 512 * BLOCK;
    private static final int PIECE = 16 * BLOCK;

    private final SpillFile spill;
    private final ByteBuffer memory = ByteBuffer.allocate(MEMORY);
    private final ByteBuffer piece = ByteBuffer.allocate(PIECE);
    private final BitSet held = new BitSet();
    private final BitSet changed = new BitSet();
    private long spilled;
    private int blocks;
    private int changedBlocks;
    private boolean whole;

    HeldBlocks(Path folder) {
        spill = SpillFile.in(folder);
    }

    /** The next file begins. */
    void begin() {
        if (spilled > 0) {
            spill.clear();
        }
        memory.clear();
        held.clear();
        changed.clear();
        spilled = 0;
        blocks = 0;
        changedBlocks = 0;
        whole = true;
    }

    /** Takes the next block. */
    void add(byte[] bytes, int offset, boolean hasChanged) {
        int block = blocks++;
        if (hasChanged) {
            changed.set(block);
            changedBlocks++;
        }
        whole = whole && (hasChanged || isInMemory() || isMostlyChanged());
        if (hasChanged || whole) {
            held.set(block);
            if (!memory.hasRemaining()) {
                spill.write(memory.flip(), spilled);
                spilled += MEMORY;
                memory.clear();
            }
            memory.put(bytes, offset, BLOCK);
        }
    }

    private boolean isInMemory() {
        return spilled == 0 && memory.hasRemaining();
    }

    private boolean isMostlyChanged() {
        return changedBlocks * 10L > blocks * 9L;
    }

    /** Whether the file is better sent as it is; to be asked when all of it has passed. */
    boolean isWhole() {
        return whole && isMostlyChanged();
    }

    /** Of what {@link #writeTo} writes. */
    long size() {
        return isWhole() ? (long) blocks * BLOCK : header().fileSize();
    }

    /** The file, or the file of its changed blocks. */
    void writeTo(BlockComparison.Sink sink) {
        boolean all = isWhole();
        if (!all) {
            byte[] head = header().bytes();
            sink.accept(head, 0, head.length);
        }
        int block = held.nextSetBit(0);
        for (long at = 0; at < spilled; at += PIECE) {
            spill.read(piece.clear(), at);
            block = write(piece.array(), PIECE, block, all, sink);
        }
        write(memory.array(), memory.position(), block, all, sink);
    }

    /** Those of a piece, which begins with this block; returns the one after it. */
    private int write(byte[] from, int length, int first, boolean all, BlockComparison.Sink sink) {
        int block = first;
        for (int at = 0; at < length; at += BLOCK) {
            if (all || changed.get(block)) {
                sink.accept(from, at, BLOCK);
            }
            block = held.nextSetBit(block + 1);
        }
        return block;
    }

    private IncrementalHeader header() {
        return new IncrementalHeader(changed, blocks);
    }

    @Override
    public void close() {
        spill.close();
    }
}
