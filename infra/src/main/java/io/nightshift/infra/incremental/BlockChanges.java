package io.nightshift.infra.incremental;

import io.nightshift.infra.incremental.RelationFork.Fork;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What WAL has done to relations: which blocks it has changed, and which relations were truncated. Told in the order of the
 * WAL: a truncation takes back what was said of the blocks behind it, and only of what came before. Not thread-safe.
 */
public final class BlockChanges {

    /** By fork, and number of the file. */
    private final Map<RelationFork, Map<Integer, BitSet>> changed = new HashMap<>();

    private final Set<RelationFork> truncated = new HashSet<>();

    /** The fork was created, or truncated to so many blocks; filenode 0 stands for all that the database has there. */
    public void truncated(RelationFork fork, long blocks) {
        truncated.add(fork);
        changed.getOrDefault(fork, Map.of()).forEach((number, marks) -> {
            long left = blocks - (long) number * RelationSegment.BLOCKS;
            marks.clear((int) Math.max(0, Math.min(left, RelationSegment.BLOCKS)), RelationSegment.BLOCKS);
        });
    }

    /** A block was changed, counted from the beginning of the fork. */
    public void changed(RelationFork fork, long block) {
        changed.computeIfAbsent(fork, unknown -> new HashMap<>())
                .computeIfAbsent((int) (block / RelationSegment.BLOCKS), number -> new BitSet())
                .set((int) (block % RelationSegment.BLOCKS));
    }

    /** Whether it, or its whole database, was created or truncated, be it once and long ago. */
    public boolean isTruncated(RelationFork fork) {
        return truncated.contains(fork)
                || truncated.contains(new RelationFork(fork.tablespace(), fork.database(), 0, Fork.MAIN));
    }

    /** The blocks of a file that have changed, from its beginning; a copy. */
    public BitSet in(RelationSegment segment) {
        BitSet marks = changed.getOrDefault(segment.fork(), Map.of()).get(segment.number());
        return marks == null ? new BitSet() : (BitSet) marks.clone();
    }
}
