package io.nightshift.infra.index;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is known of what a node uses in a database after its last look.
 *
 * @param relations by OID; those that are gone are not among them
 */
record NodeHistory(IndexSnapshot.Series series, Instant lookedAt, TrustWindow window, Map<Long, Watched> relations) {

    /**
     * A table or an index.
     *
     * @param disturbed of a table: when an index of it that was used has last gone; null if never
     */
    record Watched(
            IndexSnapshot.Relation last,
            Instant firstSeen,
            @Nullable Instant disturbed) {}

    /**
     * What one more look changes.
     *
     * @param changed what is known of relations that are new or counted something
     * @param activity what was counted since the look before, where that was anything
     * @param gone relations that are there no more
     * @param successors who has taken the place of one that is gone, and what it was used for with it
     */
    record Step(
            IndexSnapshot.Series series,
            Instant at,
            TrustWindow window,
            Map<Long, Watched> changed,
            Map<Long, RelationCounts> activity,
            Set<Long> gone,
            Map<Long, Long> successors) {}

    static Step first(IndexSnapshot snapshot) {
        Map<Long, Watched> all = new HashMap<>();
        snapshot.relations().forEach((oid, relation) -> all.put(oid, new Watched(relation, snapshot.at(), null)));
        return new Step(
                snapshot.series(), snapshot.at(), TrustWindow.first(snapshot.at()), all, Map.of(), Set.of(), Map.of());
    }

    Step next(IndexSnapshot snapshot) {
        Map<Long, Long> successors = successors(snapshot);
        boolean hasFallen = snapshot.relations().entrySet().stream().anyMatch(entry -> {
            Watched watched = relations.get(entry.getKey());
            return watched != null
                    && entry.getValue().counts().hasFallen(watched.last().counts());
        });
        boolean isAnew = TrustWindow.end(series, snapshot.series(), hasFallen).isPresent();
        Map<Long, Watched> changed = new HashMap<>();
        Map<Long, RelationCounts> activity = new HashMap<>();
        snapshot.relations().forEach((oid, relation) -> {
            Watched watched = relations.get(oid);
            if (watched == null) {
                changed.put(oid, new Watched(relation, snapshot.at(), null));
            } else if (!watched.last().equals(relation)) {
                changed.put(oid, new Watched(relation, watched.firstSeen(), watched.disturbed()));
            }
            RelationCounts counted = counted(watched, relation, isAnew);
            if (!counted.equals(RelationCounts.NONE)) {
                activity.put(oid, counted);
            }
        });
        Set<Long> gone = new HashSet<>(relations.keySet());
        gone.removeAll(snapshot.relations().keySet());
        disturbed(gone, successors, snapshot).forEach(table -> {
            Watched watched = changed.getOrDefault(table, relations.get(table));
            if (watched != null) {
                changed.put(table, new Watched(watched.last(), watched.firstSeen(), snapshot.at()));
            }
        });
        return new Step(
                snapshot.series(),
                snapshot.at(),
                window.after(series, lookedAt, snapshot, hasFallen),
                changed,
                activity,
                gone,
                successors);
    }

    /**
     * The one that has its definition, as after REINDEX CONCURRENTLY; else the index that it was a part of. It is young all the
     * same: what its predecessor was used for since the last look is not known, as standbys forget it.
     */
    private Map<Long, Long> successors(IndexSnapshot snapshot) {
        Map<List<Long>, Long> fresh = new HashMap<>();
        snapshot.relations().forEach((oid, relation) -> {
            if (relation.isIndex() && !relations.containsKey(oid)) {
                fresh.put(List.of(relation.table(), relation.shape()), oid);
            }
        });
        Map<Long, Long> successors = new HashMap<>();
        relations.forEach((oid, watched) -> {
            IndexSnapshot.Relation last = watched.last();
            if (last.isIndex() && !snapshot.relations().containsKey(oid)) {
                Long next = fresh.remove(List.of(last.table(), last.shape()));
                if (next != null) {
                    successors.put(oid, next);
                } else if (last.root() != oid && snapshot.relations().containsKey(last.root())) {
                    successors.put(oid, last.root());
                }
            }
        });
        return successors;
    }

    /** What was counted since the last look; of what is new all, which is too much rather than too little. */
    private static RelationCounts counted(@Nullable Watched watched, IndexSnapshot.Relation relation, boolean isAnew) {
        if (watched == null || isAnew) {
            return relation.counts();
        }
        RelationCounts counted = relation.counts().since(watched.last().counts());
        Instant lastScan = relation.lastScan();
        boolean isScanned = lastScan != null && !lastScan.equals(watched.last().lastScan());
        return isScanned && counted.scans() == 0 ? counted.plus(new RelationCounts(1, 0, 0, 0, 0, 0, 0)) : counted;
    }

    /** Tables whose queries have lost an index that they used. */
    private List<Long> disturbed(Set<Long> gone, Map<Long, Long> successors, IndexSnapshot snapshot) {
        List<Long> tables = new ArrayList<>();
        relations.forEach((oid, watched) -> {
            IndexSnapshot.Relation last = watched.last();
            if (gone.contains(oid)
                    && last.isIndex()
                    && last.counts().scans() > 0
                    && !successors.containsKey(oid)
                    && snapshot.relations().containsKey(last.table())) {
                tables.add(last.table());
            }
        });
        return tables;
    }
}
