package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node had counted of the tables and indexes of a database at a moment.
 *
 * @param at by this machine's clock, as all times that are compared with it
 * @param relations by OID
 */
public record IndexSnapshot(NodeAddress node, Instant at, Series series, Map<Long, Relation> relations) {

    public IndexSnapshot {
        relations = Map.copyOf(relations);
    }

    /**
     * What must be the same for two snapshots to be compared. Its times are the server's, and are not compared with others.
     *
     * @param part system and role, and of a primary its timeline
     * @param database its OID
     * @param reset since when the server counts in the database; null if it does not know, which does not mean long ago: after a
     *     crash it does not know either
     * @param lost when the server has last lost or reset all that it had counted, as it does after a crash
     */
    public record Series(
            String part,
            long database,
            @Nullable Instant reset,
            @Nullable Instant lost) {}

    /**
     * A table or an index.
     *
     * @param table of an index; of a table itself
     * @param root the partitioned table or index that it is a part of; itself if it is of none
     * @param filenode changes when it is rewritten; what was counted stays
     * @param shape of indexes of one table the same only if their definitions are
     * @param lastScan null if never, and before PostgreSQL 16
     */
    record Relation(
            boolean isIndex,
            long table,
            long root,
            long filenode,
            long shape,
            long pages,
            long rows,
            @Nullable Instant lastScan,
            RelationCounts counts) {}
}
