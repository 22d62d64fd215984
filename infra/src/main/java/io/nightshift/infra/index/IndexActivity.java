package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What has become of the tables and indexes of a database over a window of nights, on all nodes together.
 *
 * @param now the end of the window
 * @param span its length
 * @param nodes those of the cluster that were ever asked
 * @param relations by OID
 */
public record IndexActivity(Instant now, Duration span, Map<NodeAddress, Node> nodes, Map<Long, Relation> relations) {

    /** Nothing is known. */
    public static final IndexActivity NONE = new IndexActivity(Instant.EPOCH, Duration.ZERO, Map.of(), Map.of());

    private static final Relation UNKNOWN = new Relation(RelationCounts.NONE, null, null, 0);

    public IndexActivity {
        nodes = Map.copyOf(nodes);
        relations = Map.copyOf(relations);
    }

    /**
     * Of one node.
     *
     * @param lookedAt the same for all nodes that have answered at one look
     */
    public record Node(TrustWindow window, Instant lookedAt) {}

    /**
     * Of one table or index.
     *
     * @param counts in the window, on all nodes, on those that are nodes no more as well
     * @param firstSeen where it was seen last for the first time; null if no node has it
     * @param disturbed of a table: when an index that was used has last gone
     * @param nodes how many have it
     */
    record Relation(
            RelationCounts counts,
            @Nullable Instant firstSeen,
            @Nullable Instant disturbed,
            int nodes) {}

    Relation of(long oid) {
        return relations.getOrDefault(oid, UNKNOWN);
    }

    /** When nodes were last looked at; long ago if never. */
    Instant lookedAt() {
        return nodes.values().stream()
                .map(Node::lookedAt)
                .max(Comparator.naturalOrder())
                .orElse(Instant.EPOCH);
    }

    /** Nights in the window. */
    long nights() {
        return span.toDays();
    }
}
