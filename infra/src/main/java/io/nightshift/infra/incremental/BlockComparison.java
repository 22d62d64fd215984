package io.nightshift.infra.incremental;

import io.nightshift.infra.incremental.RelationFork.Fork;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the changed blocks of relation files by their digests, for servers that cannot tell them (PostgreSQL 15 and 16): each
 * file passes whole, block by block, and so do their digests, to be kept for the next backup. Not thread-safe.
 *
 * <p>Nothing here depends on LSNs in pages, on WAL summaries, or on what a relation has gone through: a block is left out only
 * if the parent holds the same bytes at the same place, be it for a page that was torn when it was read, for hint bits that no
 * WAL tells of, or for a file of the same name of another relation. So what a restore puts together is, byte for byte, what
 * the server sent for this backup, and recovery mends it as it mends a full backup, by the WAL from the beginning of this one.
 * A file that has become shorter says how long it is now, and what the parent had behind is cut off.
 */
public final class BlockComparison implements AutoCloseable {

    /** Who gets the content of a file. */
    @FunctionalInterface
    public interface Sink {
        void accept(byte[] bytes, int offset, int length);
    }

    private final @Nullable KnownBlocks parent;
    private final HeldBlocks held;
    private final BlockHash hash;
    private final DigestsWriter digests;
    private final long[] now = new long[2 * RelationSegment.BLOCKS];
    private final long[] before = new long[2 * RelationSegment.BLOCKS];
    private final byte[] partial = new byte[RelationSegment.BLOCK_SIZE];
    private int inPartial;
    private @Nullable RelationSegment segment;
    private int blocks;
    private int known;
    private long comparedBlocks;
    private long changedBlocks;

    private BlockComparison(
            @Nullable KnownBlocks parent, byte[] seed, String parentLabel, Path folder, OutputStream to, String label) {
        this.parent = parent;
        this.held = new HeldBlocks(folder);
        this.hash = new BlockHash(seed);
        try {
            this.digests = new DigestsWriter(to, seed, label, parentLabel);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /**
     * For a full backup: only digests are made.
     *
     * @param folder for what is too large for memory
     * @param to where the digests go, uncompressed
     */
    public static BlockComparison full(Path folder, OutputStream to, String label) {
        byte[] seed = new byte[BlockHash.SEED_BYTES];
        new SecureRandom().nextBytes(seed);
        return new BlockComparison(null, seed, "", folder, to, label);
    }

    /** For a backup that builds on another one, whose blocks are known and are closed with this. */
    public static BlockComparison on(
            KnownBlocks parent, String parentLabel, Path folder, OutputStream to, String label) {
        return new BlockComparison(parent, parent.seed(), parentLabel, folder, to, label);
    }

    /** The file whose blocks are compared, by its path and size; empty if it always passes as it is. */
    public static Optional<RelationSegment> compared(String path, long size) {
        return RelationSegment.of(path)
                .filter(file -> file.fork().fork() == Fork.MAIN
                        && !RelationSegment.isIncremental(path)
                        && size % RelationSegment.BLOCK_SIZE == 0
                        && size / RelationSegment.BLOCK_SIZE <= RelationSegment.BLOCKS);
    }

    /**
     * The next file begins.
     *
     * @return whether the parent has it; then it is held here until {@link #end}, and otherwise it passes at once
     */
    public boolean begin(RelationSegment file, long size) {
        segment = file;
        blocks = 0;
        inPartial = 0;
        known = parent == null ? -1 : parent.load(file, before);
        if (size == 0) {
            known = Math.min(known, 0); // an empty file is smaller than what would say so
        }
        held.begin();
        return known >= 0 && size > 0;
    }

    /** Content of the file, in pieces of any size. */
    public void accept(byte[] bytes, int offset, int length) {
        int at = offset;
        int left = length;
        while (left > 0) {
            if (inPartial == 0 && left >= partial.length) {
                block(bytes, at);
                at += partial.length;
                left -= partial.length;
            } else {
                int count = Math.min(left, partial.length - inPartial);
                System.arraycopy(bytes, at, partial, inPartial, count);
                inPartial += count;
                at += count;
                left -= count;
                if (inPartial == partial.length) {
                    block(partial, 0);
                    inPartial = 0;
                }
            }
        }
    }

    private void block(byte[] bytes, int offset) {
        int at = 2 * blocks;
        hash.hash(bytes, offset, now, at);
        if (known >= 0) {
            boolean changed = blocks >= known || now[at] != before[at] || now[at + 1] != before[at + 1];
            held.add(bytes, offset, changed);
            comparedBlocks++;
            changedBlocks += changed ? 1 : 0;
        }
        blocks++;
    }

    /** All of the file has passed. */
    public void end() {
        if (segment == null) {
            throw new IllegalStateException("no file has begun");
        }
        try {
            digests.file(segment, now, blocks, before, Math.max(known, 0));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Of what was held: whether it goes on as the whole file. */
    public boolean isWhole() {
        return held.isWhole();
    }

    /** Of what was held, bytes as it goes on. */
    public long size() {
        return held.size();
    }

    /** Passes on what was held. */
    public void writeTo(Sink sink) {
        held.writeTo(sink);
    }

    /** Blocks of files that the parent has. */
    public long comparedBlocks() {
        return comparedBlocks;
    }

    /** How many of them have changed. */
    public long changedBlocks() {
        return changedBlocks;
    }

    /** Ends the digests; their stream stays open. */
    public void finish() {
        try {
            digests.finish();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Override
    public void close() {
        held.close();
        if (parent != null) {
            parent.close();
        }
    }
}
