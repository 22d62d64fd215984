package io.nightshift.infra.index;

import org.jspecify.annotations.Nullable;

/**
 * A table, partitioned table, partition or materialized view, as the catalogs describe it.
 *
 * @param parent the partitioned table that it is a partition of; null of all others
 * @param extent of its heap
 * @param deleted rows deleted on the primary since its statistics began
 * @param ofExtension whether an extension has made it
 * @param subscribed whether logical replication applies changes to it, which may look for rows in any of its indexes
 * @param maintenance who works on it as a whole now, such as {@code process 4711 holds ShareUpdateExclusiveLock}; null if nobody
 * @param transaction which one has used it for more than ten minutes; null if none
 */
public record Table(
        long oid,
        RelationName name,
        boolean partitioned,
        @Nullable Long parent,
        Extent extent,
        long deleted,
        boolean ofExtension,
        boolean subscribed,
        @Nullable String maintenance,
        @Nullable String transaction) {

    /** How large it was when VACUUM, ANALYZE or the build of an index saw it last. */
    public record Extent(long bytes, long rows) {

        static final Extent NONE = new Extent(0, 0);

        Extent plus(Extent other) {
            return new Extent(bytes + other.bytes, rows + other.rows);
        }
    }
}
