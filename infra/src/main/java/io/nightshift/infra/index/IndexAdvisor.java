package io.nightshift.infra.index;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.index.BrokenIndexes.Broken;
import io.nightshift.infra.index.BrokenIndexes.Cure;
import io.nightshift.infra.index.IndexAdvice.Confidence;
import io.nightshift.infra.index.IndexAdvice.Kind;
import io.nightshift.infra.index.IndexAdvice.Risk;
import io.nightshift.infra.index.IndexAdvice.Statements;
import io.nightshift.infra.index.RedundantIndexes.Redundant;
import io.nightshift.infra.index.UnsupportedForeignKeys.Unsupported;
import io.nightshift.infra.index.UnusedIndexes.Unused;
import io.nightshift.infra.run.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Turns what follows from the catalogs of a database into advice: what to do, why, what it costs, and how to take it back. */
public final class IndexAdvisor {

    private static final Risk HARMLESS = new Risk(
            Risk.Level.LOW,
            "waits for transactions that use the table; it is read and written meanwhile, but ALTER TABLE and VACUUM"
                    + " wait; on a standby it may cancel long queries of the table");
    private static final Risk BLOCKING = new Risk(
            Risk.Level.MEDIUM,
            "locks the table and all of its partitions for a moment: SET lock_timeout = '2s' first, and try again");
    private static final Risk PREFERRED = new Risk(
            Risk.Level.MEDIUM, "queries that use it now read the larger index: try it on a restored copy first");
    private static final Risk REBUILD_LOCKED =
            new Risk(Risk.Level.HIGH, "no write and no read of the table gets on until it is done");

    private final IndexCatalog catalog;
    private final IndexUses uses;
    private final DropGuard guard;
    private final UnusedIndexes unused;
    private final BloatedIndexes bloated;
    private final CostlyIndexes costly;
    private final List<Redundant> redundant;
    private final List<Broken> broken;
    private final List<Unsupported> unsupported;
    private final int passedOver;

    public IndexAdvisor(IndexCatalog catalog, IndexUses uses, IndexPolicy policy) {
        this.catalog = catalog;
        this.uses = uses;
        this.guard = new DropGuard(catalog, uses, policy.keep());
        List<Redundant> allRedundant = new RedundantIndexes(catalog, uses, guard).find();
        List<Unsupported> allUnsupported = new UnsupportedForeignKeys(catalog).find();
        this.redundant = allRedundant.stream()
                .filter(found -> isLarge(catalog.table(found.index()), policy.smallestTable()))
                .toList();
        this.unsupported = allUnsupported.stream()
                .filter(found -> isLarge(found.table(), policy.smallestTable()))
                .toList();
        this.unused = new UnusedIndexes(catalog, uses, guard, policy, allRedundant);
        this.bloated = new BloatedIndexes(catalog, policy, unused.going());
        this.costly = new CostlyIndexes(catalog, uses, guard, policy, unused.going());
        this.broken = new BrokenIndexes(catalog, guard).find();
        this.passedOver = allRedundant.size() - redundant.size() + allUnsupported.size() - unsupported.size();
    }

    private boolean isLarge(Table table, DataSize smallest) {
        return catalog.extentOf(table).bytes() >= smallest.bytes();
    }

    /** The OIDs of the indexes whose definitions the review needs. */
    public Set<Long> toDefine() {
        return Stream.of(
                        unused.found().stream().map(Unused::index),
                        redundant.stream().map(Redundant::index),
                        broken.stream().map(Broken::index))
                .flatMap(indexes -> indexes)
                .flatMap(catalog::treeOf)
                .map(Index::oid)
                .collect(Collectors.toSet());
    }

    /** The OIDs of the indexes whose sizes the review needs, if they were made anew. */
    public List<Long> toEstimate() {
        return bloated.candidates().stream().map(Index::oid).toList();
    }

    /** The OIDs of the indexes whose pages are worth a look, the most promising first. */
    public List<Long> toMeasure(Map<Long, IndexFill> fills) {
        return bloated.suspects(fills).stream().map(Index::oid).toList();
    }

    /** Without how full indexes are. */
    IndexReview review(Map<Long, IndexDefinition> definitions) {
        return review(definitions, Map.of());
    }

    public IndexReview review(Map<Long, IndexDefinition> definitions, Map<Long, IndexFill> fills) {
        var statements = new IndexStatements(catalog, definitions);
        List<IndexAdvice> advice = new ArrayList<>();
        List<KeptIndex> kept = new ArrayList<>();
        for (Unused found : unused.found()) {
            String keep = found.keep();
            if (keep == null) {
                advice.add(unused(found.index(), statements));
            } else {
                kept.add(new KeptIndex(catalog.database(), found.index().name(), whyUnused(), keep));
            }
        }
        for (Redundant found : redundant) {
            String keep = found.keep();
            if (keep == null) {
                advice.add(redundant(found, statements));
            } else {
                kept.add(new KeptIndex(catalog.database(), found.index().name(), because(found), keep));
            }
        }
        broken.stream()
                .filter(found -> found.cure() != Cure.WAIT)
                .map(found -> broken(found, statements))
                .forEach(advice::add);
        for (Index index : bloated.find(fills)) {
            IndexFill fill = fills.get(index.oid());
            if (fill != null) {
                advice.add(bloated(index, fill));
            }
        }
        if (unused.isWindowWhole()) {
            costly.written().stream().map(this::written).forEach(advice::add);
            costly.breaking().stream().map(this::breaking).forEach(advice::add);
            costly.ordered(fills).stream()
                    .map(found -> ordered(found, statements))
                    .forEach(advice::add);
        }
        unsupported.stream().map(found -> foreignKey(found, statements)).forEach(advice::add);
        advice.sort(Comparator.comparing(IndexAdvice::kind).thenComparing(IndexAdvice::object));
        return new IndexReview(
                advice,
                kept,
                broken.stream()
                        .filter(found -> found.cure() == Cure.WAIT)
                        .map(found -> found.index().name())
                        .toList(),
                unused.unjudged(),
                passedOver);
    }

    private String whyUnused() {
        int nodes = uses.nodes().size();
        return "was used by no query in " + uses.activity().nights() + " nights"
                + (nodes == 1 ? "" : " on any of " + nodes + " nodes");
    }

    private IndexAdvice unused(Index index, IndexStatements statements) {
        long bytes = catalog.bytesOf(index);
        Statements statistics = statements.keepStatistics(index);
        List<String> todo = new ArrayList<>(statistics.todo());
        todo.add(IndexStatements.drop(index));
        List<String> undo = new ArrayList<>(statements.restore(index));
        undo.addAll(statistics.undo());
        Table table = catalog.table(index);
        return new IndexAdvice(
                Kind.UNUSED,
                catalog.database(),
                index.name().toString(),
                Severity.INFO,
                whyUnused() + "; it takes " + size(bytes) + ", and is kept up to date with each of "
                        + number(entries(table)) + " rows written to " + table.name() + " meanwhile",
                bytes,
                writeCost(table),
                new Statements(todo, undo),
                index.partitioned() ? BLOCKING : HARMLESS,
                Confidence.OBSERVED,
                notNow(index, statements),
                null);
    }

    private long entries(Table table) {
        return uses.counted(catalog, table).entries();
    }

    private String writeCost(Table table) {
        long nights = uses.activity().nights();
        return nights == 0 ? "" : "written " + number(entries(table) / nights) + " times a night";
    }

    private IndexAdvice written(CostlyIndexes.Written found) {
        Index index = found.index();
        return warning(
                Kind.WRITE_HEAVY,
                index.name(),
                "in " + uses.activity().nights() + " nights " + number(found.entries())
                        + " rows were written into it, but it was scanned only "
                        + number(found.used().scans())
                        + " times, for " + number(found.used().read())
                        + " rows; see whether those queries are worth it",
                catalog.table(index),
                catalog.bytesOf(index),
                new Statements(List.of(), List.of()),
                new Risk(Risk.Level.HIGH, "without it the queries that use it read the whole table"));
    }

    private IndexAdvice breaking(CostlyIndexes.Breaking found) {
        Table table = found.table();
        String suspects = found.suspects().stream()
                .map(index -> index.name() + " " + index.shape())
                .collect(Collectors.joining(", "));
        return warning(
                Kind.HOT_BREAKING,
                table.name(),
                "in " + uses.activity().nights() + " nights " + number(found.breaking()) + " of "
                        + number(found.counts().updated())
                        + " updates were written into all of its indexes (which PostgreSQL spares an update of other columns"
                        + " while there is room on the page, \"HOT\"), as "
                        + (found.counts().moved() == 0
                                ? "they changed an indexed column or found no room on their page"
                                : "they changed an indexed column")
                        + "; columns that no other index has are in " + suspects,
                table,
                table.extent().bytes(),
                new Statements(List.of(), List.of()),
                new Risk(Risk.Level.HIGH, "without an index the queries that use it read the whole table"));
    }

    private IndexAdvice ordered(CostlyIndexes.Ordered found, IndexStatements statements) {
        Index index = found.index();
        return warning(
                Kind.BRIN,
                index.name(),
                "takes " + size(index.bytes()) + ", though rows only come, in the order of its values (correlation "
                        + String.format(Locale.ROOT, "%.2f", found.correlation()) + "; 1 is exactly so), and its "
                        + number(found.used().scans()) + " scans read "
                        + number(found.used().read() / found.used().scans())
                        + " rows each: a BRIN index, which keeps only the range of values of each 128 pages, may do for a"
                        + " thousandth of the space",
                catalog.table(index),
                index.bytes(),
                statements.createBrin(index),
                Risk.ofBuild(catalog.table(index)));
    }

    private IndexAdvice warning(
            Kind kind, RelationName object, String reason, Table table, long bytes, Statements statements, Risk risk) {
        return new IndexAdvice(
                kind,
                catalog.database(),
                object.toString(),
                Severity.INFO,
                reason,
                bytes,
                writeCost(table),
                statements,
                risk,
                Confidence.ESTIMATED,
                null,
                null);
    }

    private IndexAdvice bloated(Index index, IndexFill fill) {
        long won = BloatedIndexes.won(index, fill);
        long room = index.bytes() - won;
        return new IndexAdvice(
                Kind.BLOATED,
                catalog.database(),
                index.name().toString(),
                Severity.INFO,
                "takes " + size(index.bytes()) + ", of which a new one would need " + size(room)
                        + (fill.measured() == null ? " by the statistics of its columns" : " by how full its pages are")
                        + ": rebuilding it wins " + size(won),
                index.bytes(),
                writeCost(catalog.table(index)),
                new Statements(List.of(IndexStatements.rebuild(index)), List.of()),
                new Risk(
                        Risk.Level.LOW,
                        "reads the table and takes " + size(room)
                                + " more disk space until it is done; the table is read and written meanwhile, but ALTER TABLE"
                                + " and VACUUM wait; a cancelled one leaves an invalid index"),
                fill.measured() == null ? Confidence.ESTIMATED : Confidence.OBSERVED,
                guard.inUse(index).orElse(null),
                null);
    }

    private static String because(Redundant found) {
        Index cover = found.cover();
        if (found.isCopy()) {
            return "does the same as " + cover.name();
        }
        return "has the keys " + found.index().shape() + ", with which " + cover.name() + " " + cover.shape()
                + " begins";
    }

    private IndexAdvice redundant(Redundant found, IndexStatements statements) {
        Index index = found.index();
        boolean isPreferred = new RedundantIndexes(catalog, uses, guard).isPreferred(found);
        long bytes = catalog.bytesOf(index);
        String reason = because(found) + ", so that one answers the same queries; this one takes " + size(bytes)
                + ", and every new row of " + catalog.table(index).name() + " is written into both"
                + (isPreferred
                        ? "; but it is much smaller than the other (" + size(catalog.bytesOf(found.cover()))
                                + "), and was used " + number(uses.scans(catalog, index)) + " times"
                        : "");
        List<String> todo = new ArrayList<>();
        if (catalog.treeOf(index).anyMatch(part -> part.shape().hasExpressions())) {
            // What ANALYZE has learnt of an expression goes with the index that it learnt it for.
            todo.add("ANALYZE " + catalog.table(index).name().sql());
        }
        todo.add(IndexStatements.drop(index));
        return new IndexAdvice(
                Kind.REDUNDANT,
                catalog.database(),
                index.name().toString(),
                Severity.INFO,
                reason,
                bytes,
                writeCost(catalog.table(index)),
                new Statements(todo, statements.restore(index)),
                index.partitioned() ? BLOCKING : isPreferred ? PREFERRED : HARMLESS,
                isPreferred ? Confidence.ESTIMATED : Confidence.CERTAIN,
                notNow(index, statements),
                null);
    }

    private @Nullable String notNow(Index index, IndexStatements statements) {
        return guard.notNow(index)
                .or(() -> statements.canRestore(index)
                        ? Optional.empty()
                        : Optional.of(
                                catalog.table(index).name() + " is locked: how the index was made cannot be read"))
                .orElse(null);
    }

    private IndexAdvice broken(Broken found, IndexStatements statements) {
        Index index = found.index();
        boolean isDropped = found.cure() == Cure.DROP;
        List<String> complete = found.cure() == Cure.COMPLETE ? statements.complete(index) : List.of();
        List<String> todo = isDropped
                ? List.of(IndexStatements.drop(index))
                : found.cure() == Cure.REINDEX ? List.of(IndexStatements.rebuild(index)) : complete;
        return new IndexAdvice(
                isDropped ? Kind.LEFT_OVER : Kind.INVALID,
                catalog.database(),
                index.name().toString(),
                Severity.WARNING,
                reason(found, complete.size()),
                catalog.bytesOf(index),
                "",
                new Statements(todo, isDropped ? statements.restore(index) : List.of()),
                isDropped
                        ? HARMLESS
                        : index.duties().exclusion() && found.cure() == Cure.REINDEX
                                ? REBUILD_LOCKED
                                : Risk.ofBuild(catalog.table(index)),
                Confidence.CERTAIN,
                isDropped ? notNow(index, statements) : null,
                null);
    }

    private String reason(Broken found, int missing) {
        Index index = found.index();
        String cost = "no query uses it"
                + (index.state().ready() && !index.partitioned()
                        ? ", yet every write to " + catalog.table(index).name() + " keeps its "
                                + size(catalog.bytesOf(index)) + " up to date"
                        : "");
        if (found.cure() == Cure.COMPLETE) {
            return cost + ": "
                    + (missing == 0
                            ? "one of its parts is invalid; once that is mended, attach it again"
                            : "partitions of " + catalog.table(index).name() + " have no part of it");
        }
        Index twin = found.twin();
        if (twin != null) {
            return cost + ": a CREATE INDEX CONCURRENTLY has failed, and " + twin.name() + " does its work";
        }
        if (!index.state().live()) {
            return cost + ": a DROP INDEX CONCURRENTLY has not come to its end";
        }
        if (found.cure() == Cure.DROP) {
            return cost + ": a REINDEX CONCURRENTLY has failed and left it behind";
        }
        return cost + ": a CREATE, REINDEX or DROP INDEX CONCURRENTLY has failed"
                + (index.shape().unique()
                        ? "; if that was for doubled values, delete those rows first, or drop the index"
                        : "");
    }

    private IndexAdvice foreignKey(Unsupported found, IndexStatements statements) {
        Table table = found.table();
        Table.Extent extent = catalog.extentOf(table);
        String columns = found.columns().stream().map(ForeignKey.Column::name).collect(Collectors.joining(", "));
        boolean isExpected =
                found.keys().stream().anyMatch(key -> key.onDelete().isExpected() || deleted(key) > 0);
        String referenced = found.keys().stream()
                .map(key -> catalog.table(key.referenced()).name().toString())
                .distinct()
                .sorted()
                .collect(Collectors.joining(" or "));
        long deleted = found.keys().stream().mapToLong(this::deleted).max().orElse(0);
        return new IndexAdvice(
                Kind.FOREIGN_KEY,
                catalog.database(),
                table.name() + "(" + columns + ")",
                isExpected ? Severity.WARNING : Severity.INFO,
                "no index finds the rows that refer to one of " + referenced + ": each delete of one reads all of "
                        + table.name() + " (" + number(extent.rows()) + " rows, " + size(extent.bytes()) + ")"
                        + (deleted == 0 ? "" : ", and " + number(deleted) + " were deleted so far"),
                extent.bytes(),
                "",
                statements.create(table, found.columns()),
                Risk.ofBuild(table),
                Confidence.ESTIMATED,
                null,
                null);
    }

    private long deleted(ForeignKey key) {
        return catalog.deletedOf(catalog.table(key.referenced()));
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
