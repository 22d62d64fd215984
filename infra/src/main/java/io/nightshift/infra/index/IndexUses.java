package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes of a cluster have used the indexes of a database for: a standby may live on one that the primary never scans.
 *
 * @param scans by node and the OID of an index, since the node's statistics began
 * @param unseen why a node could not be asked
 * @param unlisted that there are standbys which are no nodes of ours; null if none is seen
 * @param activity over a window of nights
 */
public record IndexUses(
        Map<NodeAddress, Map<Long, Long>> scans,
        Map<NodeAddress, String> unseen,
        @Nullable String unlisted,
        IndexActivity activity) {

    public IndexUses {
        scans = Map.copyOf(scans);
        unseen = Map.copyOf(unseen);
    }

    /** Without history. */
    public IndexUses(Map<NodeAddress, Map<Long, Long>> scans, Map<NodeAddress, String> unseen) {
        this(scans, unseen, null, IndexActivity.NONE);
    }

    /** All nodes of the cluster, in the order of their names. */
    List<NodeAddress> nodes() {
        return Stream.concat(scans.keySet().stream(), unseen.keySet().stream())
                .distinct()
                .sorted(Comparator.comparing(NodeAddress::toString))
                .toList();
    }

    /** What was counted of an index and its parts in the window. */
    RelationCounts counted(IndexCatalog catalog, Index index) {
        return catalog.treeOf(index)
                .map(part -> activity.of(part.oid()).counts())
                .reduce(RelationCounts.NONE, RelationCounts::plus);
    }

    /** What was counted of a table and its partitions in the window. */
    RelationCounts counted(IndexCatalog catalog, Table table) {
        return catalog.treeOf(table)
                .map(part -> activity.of(part.oid()).counts())
                .reduce(RelationCounts.NONE, RelationCounts::plus);
    }

    /** On all nodes, with those of its parts. */
    long scans(IndexCatalog catalog, Index index) {
        return scans.values().stream()
                .mapToLong(node -> scans(node, catalog, index))
                .sum();
    }

    /** How many nodes have scanned it. */
    long nodes(IndexCatalog catalog, Index index) {
        return scans.values().stream()
                .filter(node -> scans(node, catalog, index) > 0)
                .count();
    }

    private static long scans(Map<Long, Long> node, IndexCatalog catalog, Index index) {
        return catalog.treeOf(index)
                .mapToLong(part -> node.getOrDefault(part.oid(), 0L))
                .sum();
    }
}
