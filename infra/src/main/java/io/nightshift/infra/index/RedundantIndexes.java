package io.nightshift.infra.index;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which indexes do nothing for queries that another one of their table does not do as well. A partitioned index is one, with
 * all of its parts. Of several that do the same for each other all but one are redundant.
 */
final class RedundantIndexes {

    /**
     * An index that another one makes needless.
     *
     * @param cover what does its work; not redundant itself, or one that stays all the same
     * @param keep why it stays; null if it may go
     */
    record Redundant(Index index, Index cover, @Nullable String keep) {

        boolean isCopy() {
            return cover.shape().isCoveredBy(index.shape());
        }
    }

    /** A covering index this much larger is slower to read. */
    private static final double MUCH_SMALLER = 0.5;

    private static final double MANY_SCANS = 0.1;

    private final IndexCatalog catalog;
    private final IndexUses uses;
    private final DropGuard guard;

    RedundantIndexes(IndexCatalog catalog, IndexUses uses, DropGuard guard) {
        this.catalog = catalog;
        this.uses = uses;
        this.guard = guard;
    }

    List<Redundant> find() {
        return catalog.tables().stream().flatMap(table -> find(table).stream()).toList();
    }

    private List<Redundant> find(Table table) {
        List<Index> whole =
                catalog.indexesOf(table).stream().filter(this::isWhole).toList();
        if (whole.size() < 2) {
            return List.of();
        }
        List<Index> needless =
                whole.stream().filter(index -> isNeedless(index, whole)).toList();
        Set<Index> going = new HashSet<>(needless);
        going.removeIf(index -> guard.never(index).isPresent());
        List<Redundant> found = new ArrayList<>();
        for (Index index : needless) {
            whole.stream()
                    .filter(other -> !going.contains(other) && covers(other, index))
                    .min(Comparator.comparing((Index other) -> !other.shape().isCoveredBy(index.shape()))
                            .thenComparing(order()))
                    .ifPresent(cover -> found.add(
                            new Redundant(index, cover, keep(index, cover).orElse(null))));
        }
        return found;
    }

    /** A part goes with its partitioned index, and is not judged apart from it. */
    private boolean isWhole(Index index) {
        return index.parent() == null
                && catalog.treeOf(index)
                        .allMatch(part -> part.legible() && part.state().isUsable());
    }

    private boolean isNeedless(Index index, List<Index> whole) {
        return whole.stream()
                .anyMatch(
                        other -> covers(other, index) && (!covers(index, other) || order().compare(other, index) < 0));
    }

    private static boolean covers(Index cover, Index index) {
        return cover.oid() != index.oid() && index.shape().isCoveredBy(cover.shape());
    }

    /** Which of two that do the same stays: the first one. */
    private Comparator<Index> order() {
        return Comparator.comparing(
                        (Index index) -> index.duties().constraints().isEmpty())
                .thenComparing(index -> !index.shape().unique())
                .thenComparing(index -> !index.duties().replicaIdentity())
                .thenComparing(index -> !index.duties().clustered())
                .thenComparing(index -> guard.never(index).isEmpty())
                .thenComparing(index -> -uses.nodes(catalog, index))
                .thenComparing(catalog::bytesOf)
                .thenComparing(Index::oid);
    }

    private Optional<String> keep(Index index, Index cover) {
        return guard.never(index).or(() -> statistics(index, cover)).or(() -> foreignKey(index, cover));
    }

    /** ANALYZE knows an expression by the indexes that have it; one of them may have been told to look more closely. */
    private static Optional<String> statistics(Index index, Index cover) {
        return index.shape().keys().stream()
                .filter(key -> !key.isColumn())
                .filter(key -> cover.shape().keys().stream()
                        .noneMatch(other -> other.text().equals(key.text()) && other.statistics() >= key.statistics()))
                .findFirst()
                .map(key -> "lets ANALYZE look at " + key.text() + " more closely (statistics " + key.statistics()
                        + ") than " + cover.name() + " does");
    }

    private Optional<String> foreignKey(Index index, Index cover) {
        return catalog.allForeignKeysOf(catalog.table(index))
                .filter(key -> key.needs(index, Stream.of(cover)))
                .findFirst()
                .map(key -> "supports foreign key " + key.name());
    }

    /** Whether queries prefer it for being so much smaller than what covers it. */
    boolean isPreferred(Redundant redundant) {
        long scans = uses.scans(catalog, redundant.index());
        return catalog.bytesOf(redundant.index()) < MUCH_SMALLER * catalog.bytesOf(redundant.cover())
                && scans > MANY_SCANS * (scans + uses.scans(catalog, redundant.cover()));
    }
}
