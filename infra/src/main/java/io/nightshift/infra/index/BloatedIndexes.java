package io.nightshift.infra.index;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * B-trees of which a new one would be much smaller. Small ones, those that keep exclusion constraints and other methods are left
 * alone, and so are those that are advised to go.
 */
final class BloatedIndexes {

    /** A tree that rows are inserted into anywhere is two thirds full; a new one nine tenths. */
    private static final double MOSTLY_EMPTY = 0.5;

    private final List<Index> candidates;

    BloatedIndexes(IndexCatalog catalog, IndexPolicy policy, Set<Index> going) {
        Set<Long> gone = going.stream().flatMap(catalog::treeOf).map(Index::oid).collect(Collectors.toSet());
        this.candidates = catalog.indexes().stream()
                .filter(index -> !index.partitioned()
                        && index.shape().method().equals(IndexShape.BTREE)
                        && index.state().isUsable()
                        && !index.duties().exclusion()
                        && !gone.contains(index.oid())
                        && catalog.table(index).maintenance() == null
                        && index.bytes() >= policy.smallestIndex().bytes())
                .toList();
    }

    List<Index> candidates() {
        return candidates;
    }

    /** Those that are worth a closer look, the most promising first; of those that nothing is known of the largest. */
    List<Index> suspects(Map<Long, IndexFill> fills) {
        return candidates.stream()
                .filter(index -> fill(fills, index).bytes() == null || isBloated(index, fill(fills, index)))
                .sorted(Comparator.comparing((Index index) -> fill(fills, index).bytes() == null)
                        .thenComparing(index -> -won(index, fill(fills, index)))
                        .thenComparing(Index::oid))
                .toList();
    }

    List<Index> find(Map<Long, IndexFill> fills) {
        return candidates.stream()
                .filter(index -> isBloated(index, fill(fills, index)))
                .toList();
    }

    private static IndexFill fill(Map<Long, IndexFill> fills, Index index) {
        return fills.getOrDefault(index.oid(), IndexFill.UNKNOWN);
    }

    private static boolean isBloated(Index index, IndexFill fill) {
        return fill.bytes() != null && won(index, fill) >= MOSTLY_EMPTY * index.bytes();
    }

    /** Bytes; of those that nothing is known of all of them. */
    static long won(Index index, IndexFill fill) {
        Long bytes = fill.bytes();
        return Math.max(0, index.bytes() - (bytes == null ? 0 : bytes));
    }
}
