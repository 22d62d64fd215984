package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.IndexReview.Unjudged;
import io.nightshift.infra.index.RedundantIndexes.Redundant;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which indexes no query has used on any node for a whole window of nights. A partitioned index is one, with all of its parts.
 * Where the history has a gap nothing is said but how many nights are missing.
 */
final class UnusedIndexes {

    /**
     * An index that nobody has used.
     *
     * @param keep why it stays; null if it may go
     */
    record Unused(Index index, @Nullable String keep) {}

    /** One that takes less of its database is told only if its table is active. */
    private static final double LARGE_SHARE = 0.005;

    private final IndexCatalog catalog;
    private final IndexUses uses;
    private final DropGuard guard;
    private final IndexPolicy policy;
    private final Set<Index> going;
    private final Set<Index> needed;
    private final Set<Long> gone = new HashSet<>();
    private final long bytes;
    private boolean windowWhole = true;
    private final List<Unused> found = new ArrayList<>();
    private final List<Unjudged> unjudged = new ArrayList<>();

    UnusedIndexes(
            IndexCatalog catalog, IndexUses uses, DropGuard guard, IndexPolicy policy, List<Redundant> redundant) {
        this.catalog = catalog;
        this.uses = uses;
        this.guard = guard;
        this.policy = policy;
        List<Redundant> needless =
                redundant.stream().filter(one -> one.keep() == null).toList();
        this.going = needless.stream().map(Redundant::index).collect(Collectors.toCollection(HashSet::new));
        // Their work is about to become greater.
        this.needed = needless.stream().map(Redundant::cover).collect(Collectors.toSet());
        this.bytes = catalog.bytes();
        going.forEach(this::goes);
        find();
    }

    private void goes(Index index) {
        catalog.treeOf(index).map(Index::oid).forEach(gone::add);
    }

    /** Whether nothing that nodes used in the window has escaped us. */
    boolean isWindowWhole() {
        return windowWhole;
    }

    /** Those that are advised to go, the redundant ones among them. */
    Set<Index> going() {
        return going;
    }

    List<Unused> found() {
        return found;
    }

    List<Unjudged> unjudged() {
        return unjudged;
    }

    private void find() {
        List<String> gaps = gaps();
        windowWhole = gaps.isEmpty();
        if (!windowWhole) {
            unjudged.add(new Unjudged(
                    IndexAdvice.Kind.UNUSED.keys(catalog.database()), catalog.database(), String.join("; ", gaps)));
            return;
        }
        catalog.indexes().stream().filter(this::isCandidate).forEach(this::judge);
    }

    /** The nodes of which too little is known. */
    private List<String> gaps() {
        IndexActivity activity = uses.activity();
        List<String> gaps = new ArrayList<>();
        for (NodeAddress node : uses.nodes()) {
            IndexActivity.Node known = activity.nodes().get(node);
            if (known == null) {
                gaps.add("node " + node + " was never asked: needs " + nights(activity.nights()));
            } else if (known.lookedAt().isBefore(activity.lookedAt()) || isStale(known)) {
                gaps.add("node " + node + " was last asked at " + minute(known.lookedAt()));
            } else {
                TrustWindow window = known.window();
                missing(window.since())
                        .ifPresent(missing -> gaps.add("node " + node + " needs " + nights(missing)
                                + ": what it uses is known since "
                                + minute(window.since()) + ", " + window.because()));
            }
        }
        if (uses.nodes().isEmpty()) {
            gaps.add("no node was asked");
        }
        return gaps;
    }

    private boolean isStale(IndexActivity.Node known) {
        return Duration.between(known.lookedAt(), uses.activity().now()).compareTo(Duration.ofDays(1)) > 0;
    }

    private static Instant minute(Instant time) {
        return time.truncatedTo(ChronoUnit.MINUTES);
    }

    private static String nights(long nights) {
        return nights + (nights == 1 ? " more night" : " more nights");
    }

    /** How many nights are missing to a window that begins then. */
    private Optional<Long> missing(Instant since) {
        IndexActivity activity = uses.activity();
        long missing = activity.nights() - TrustWindow.nights(since, activity.now());
        return missing > 0 ? Optional.of(missing) : Optional.empty();
    }

    private boolean isCandidate(Index index) {
        return index.parent() == null
                && catalog.treeOf(index)
                        .allMatch(part -> part.legible() && part.state().isUsable())
                && catalog.bytesOf(index) >= policy.smallestIndex().bytes()
                && !going.contains(index)
                && !needed.contains(index)
                && uses.counted(catalog, index).scans() == 0
                && isWorthIt(index);
    }

    private boolean isWorthIt(Index index) {
        long days = Math.max(1, uses.activity().nights());
        return uses.counted(catalog, catalog.table(index)).written() >= policy.writtenRows() * days
                || catalog.bytesOf(index) >= LARGE_SHARE * bytes;
    }

    private void judge(Index index) {
        Optional<String> young = young(index);
        if (young.isPresent()) {
            unjudged.add(new Unjudged(
                    IndexAdvice.Kind.UNUSED.keys(catalog.database()) + index.name(),
                    catalog.database() + "." + index.name(),
                    young.get()));
            return;
        }
        String keep = guard.never(index).or(() -> foreignKey(index)).orElse(null);
        found.add(new Unused(index, keep));
        if (keep == null) {
            going.add(index);
            goes(index);
        }
    }

    private Optional<String> young(Index index) {
        IndexActivity.Relation known = uses.activity().of(index.oid());
        if (known.firstSeen() == null || known.nodes() < uses.nodes().size()) {
            return Optional.of(
                    "not every node has it: needs " + nights(uses.activity().nights()));
        }
        return missing(known.firstSeen())
                .map(missing -> "it is new: needs " + nights(missing))
                .or(() -> catalog.treeOf(catalog.table(index))
                        .map(table -> uses.activity().of(table.oid()).disturbed())
                        .flatMap(disturbed -> Optional.ofNullable(disturbed).stream())
                        .max(Instant::compareTo)
                        .flatMap(this::missing)
                        .map(missing ->
                                "another index of its table has gone, whose queries it may have to answer: needs "
                                        + nights(missing)));
    }

    /** Each delete of a row that is referred to would read its whole table, however rare they are. */
    private Optional<String> foreignKey(Index index) {
        return catalog.treeOf(index)
                .filter(part -> catalog.partsOf(part).isEmpty())
                .flatMap(part -> catalog.allForeignKeysOf(catalog.table(part))
                        .filter(key -> key.needs(
                                part,
                                catalog.indexesOf(catalog.table(part)).stream()
                                        .filter(other -> other.oid() != part.oid() && !gone.contains(other.oid())))))
                .map(key -> "supports foreign key " + key.name())
                .findFirst();
    }
}
