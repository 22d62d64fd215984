package io.nightshift.infra.index;

import java.util.function.LongBinaryOperator;

/**
 * What a server has counted of a table or an index.
 *
 * @param scans of an index; of a table those of all of its rows
 * @param read entries or rows that the scans returned
 * @param hotUpdated of the updated, those that touched no index
 * @param moved of the updated, those that found no room on the page; 0 before PostgreSQL 16, which does not count them
 */
record RelationCounts(long scans, long read, long inserted, long updated, long hotUpdated, long moved, long deleted) {

    static final RelationCounts NONE = new RelationCounts(0, 0, 0, 0, 0, 0, 0);

    RelationCounts plus(RelationCounts other) {
        return with(other, Long::sum);
    }

    /** What was counted since an earlier look. What has fallen began anew: then all of it is new. */
    RelationCounts since(RelationCounts earlier) {
        return with(earlier, (now, before) -> now < before ? now : now - before);
    }

    boolean hasFallen(RelationCounts earlier) {
        return scans < earlier.scans
                || read < earlier.read
                || inserted < earlier.inserted
                || updated < earlier.updated
                || hotUpdated < earlier.hotUpdated
                || moved < earlier.moved
                || deleted < earlier.deleted;
    }

    private RelationCounts with(RelationCounts other, LongBinaryOperator operator) {
        return new RelationCounts(
                operator.applyAsLong(scans, other.scans),
                operator.applyAsLong(read, other.read),
                operator.applyAsLong(inserted, other.inserted),
                operator.applyAsLong(updated, other.updated),
                operator.applyAsLong(hotUpdated, other.hotUpdated),
                operator.applyAsLong(moved, other.moved),
                operator.applyAsLong(deleted, other.deleted));
    }

    /** Rows that came, changed or went. */
    long written() {
        return inserted + updated + deleted;
    }

    /** Entries that each index of the table has got. */
    long entries() {
        return inserted + updated - hotUpdated;
    }

    Long[] toArray() {
        return new Long[] {scans, read, inserted, updated, hotUpdated, moved, deleted};
    }

    static RelationCounts of(Long[] counts) {
        return new RelationCounts(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6]);
    }
}
