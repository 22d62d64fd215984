package io.nightshift.infra.index;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of indexes that queries do not use because a CREATE, REINDEX or DROP INDEX CONCURRENTLY did not come to its
 * end (PostgreSQL manual, "Building Indexes Concurrently"), and of partitioned ones that lack parts.
 */
final class BrokenIndexes {

    /** What is to be done. */
    enum Cure {
        /** It is being worked on. */
        WAIT,
        DROP,
        REINDEX,
        /** Its missing parts are to be made. */
        COMPLETE
    }

    /**
     * A broken index.
     *
     * @param twin a usable index with the same definition; null if there is none, or if it does not matter
     */
    record Broken(Index index, Cure cure, @Nullable Index twin) {}

    private static final Pattern LEFT_OVER = Pattern.compile(".*_cc(new|old)\\d*");

    private final IndexCatalog catalog;
    private final DropGuard guard;

    BrokenIndexes(IndexCatalog catalog, DropGuard guard) {
        this.catalog = catalog;
        this.guard = guard;
    }

    List<Broken> find() {
        return catalog.indexes().stream()
                .filter(index -> !index.state().isUsable())
                .map(this::judge)
                .toList();
    }

    private Broken judge(Index index) {
        if (catalog.treeOf(index)
                .anyMatch(part -> part.state().building() || catalog.table(part).maintenance() != null)) {
            return new Broken(index, Cure.WAIT, null);
        }
        if (index.partitioned()) {
            return new Broken(index, Cure.COMPLETE, null);
        }
        if (mustStay(index)) {
            return new Broken(index, Cure.REINDEX, null);
        }
        if (!index.state().live() || isLeftOver(index)) {
            return new Broken(index, Cure.DROP, null);
        }
        Optional<Index> twin = twin(index);
        return new Broken(index, twin.isPresent() ? Cure.DROP : Cure.REINDEX, twin.orElse(null));
    }

    /** That its values are unique is kept by whichever index takes its place. */
    private boolean mustStay(Index index) {
        Index.Duties duties = index.duties();
        boolean isNeeded = duties.primary() || duties.exclusion() || duties.replicaIdentity();
        return isNeeded
                || !duties.constraints().isEmpty()
                || index.parent() != null
                || guard.standing(index).isPresent();
    }

    static boolean isLeftOver(Index index) {
        return LEFT_OVER.matcher(index.name().name()).matches();
    }

    private Optional<Index> twin(Index index) {
        return catalog.indexesOf(catalog.table(index)).stream()
                .filter(other -> other.legible()
                        && index.legible()
                        && other.state().isUsable()
                        && other.shape().equals(index.shape()))
                .findFirst();
    }
}
