package io.nightshift.infra.index;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which indexes cost more than they may be worth: by what was counted over a whole window of nights, not by what they are. Nobody
 * but who knows the queries can decide it, so nothing is advised to be dropped.
 */
final class CostlyIndexes {

    /** An index that is written far more often than read. */
    record Written(Index index, RelationCounts used, long entries) {}

    /**
     * A table whose updates change indexed columns, so that each writes into every index.
     *
     * @param breaking how many of the updates did
     * @param suspects indexes with a column that no other index of the table has
     */
    record Breaking(Table table, RelationCounts counts, long breaking, List<Index> suspects) {

        Breaking {
            suspects = List.copyOf(suspects);
        }
    }

    /** A B-tree in the place of which a BRIN index may do. */
    record Ordered(Index index, RelationCounts used, double correlation) {}

    private static final long WRITES_PER_SCAN = 100;
    private static final double MOST = 0.5;
    private static final double IN_ORDER = 0.95;
    private static final double HARDLY_ANY = 0.01;
    private static final long MANY_ROWS = 1_000;
    /** A BRIN index saves too little of smaller ones. */
    private static final long TIMES_SMALLEST = 10;

    private final IndexCatalog catalog;
    private final IndexUses uses;
    private final DropGuard guard;
    private final IndexPolicy policy;
    private final Set<Index> going;

    CostlyIndexes(IndexCatalog catalog, IndexUses uses, DropGuard guard, IndexPolicy policy, Set<Index> going) {
        this.catalog = catalog;
        this.uses = uses;
        this.guard = guard;
        this.policy = policy;
        this.going = going;
    }

    List<Written> written() {
        List<Written> found = new ArrayList<>();
        for (Index index : catalog.indexes()) {
            RelationCounts used = uses.counted(catalog, index);
            long entries = uses.counted(catalog, catalog.table(index)).entries();
            // Of a partial one nobody knows how many of the rows are its own.
            if (index.parent() == null
                    && index.shape().predicate() == null
                    && mayGo(index)
                    && isActive(entries)
                    && used.scans() > 0
                    && used.scans() < entries / WRITES_PER_SCAN
                    && used.read() < entries) {
                found.add(new Written(index, used, entries));
            }
        }
        return found;
    }

    List<Breaking> breaking() {
        List<Breaking> found = new ArrayList<>();
        for (Table table : catalog.tables()) {
            RelationCounts counts = uses.activity().of(table.oid()).counts();
            long breaking = counts.updated() - counts.hotUpdated() - counts.moved();
            if (isActive(counts.updated()) && breaking >= MOST * counts.updated()) {
                List<Index> suspects = catalog.indexesOf(table).stream()
                        .filter(index -> mayGo(index) && hasColumnOfItsOwn(index))
                        .toList();
                if (!suspects.isEmpty()) {
                    found.add(new Breaking(table, counts, breaking, suspects));
                }
            }
        }
        return found;
    }

    List<Ordered> ordered(Map<Long, IndexFill> fills) {
        List<Ordered> found = new ArrayList<>();
        for (Index index : catalog.indexes()) {
            IndexFill fill = fills.get(index.oid());
            if (fill == null || fill.correlation() == null || fill.correlation() <= IN_ORDER) {
                continue;
            }
            RelationCounts used = uses.activity().of(index.oid()).counts();
            RelationCounts table = uses.activity().of(index.table()).counts();
            if (index.parent() == null
                    && index.shape().keys().size() == 1
                    && index.shape().included().isEmpty()
                    && index.shape().predicate() == null
                    && index.shape().keys().get(0).isColumn()
                    && index.bytes() >= TIMES_SMALLEST * policy.smallestIndex().bytes()
                    && mayGo(index)
                    && isActive(table.inserted())
                    && table.updated() + table.deleted() <= HARDLY_ANY * table.inserted()
                    && used.scans() > 0
                    && used.read() / used.scans() >= MANY_ROWS) {
                found.add(new Ordered(index, used, fill.correlation()));
            }
        }
        return found;
    }

    private boolean isActive(long rows) {
        return rows >= Math.max(1, policy.writtenRows() * uses.activity().nights());
    }

    private boolean mayGo(Index index) {
        return catalog.bytesOf(index) >= policy.smallestIndex().bytes()
                && index.legible()
                && index.state().isUsable()
                && !going.contains(index)
                && guard.never(index).isEmpty();
    }

    /** A BRIN index keeps no update from being HOT (PostgreSQL 16). */
    private boolean hasColumnOfItsOwn(Index index) {
        Set<String> columns = columns(index);
        catalog.indexesOf(catalog.table(index)).stream()
                .filter(other -> other.oid() != index.oid())
                .forEach(other -> columns.removeAll(columns(other)));
        return !columns.isEmpty() && !index.shape().method().equals("brin");
    }

    private static Set<String> columns(Index index) {
        Set<String> columns = new HashSet<>(index.shape().included());
        index.shape().keys().stream().map(IndexKey::text).forEach(columns::add);
        return columns;
    }
}
