package io.nightshift.infra.index.plan;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.index.Index;
import io.nightshift.infra.index.IndexAdvice;
import io.nightshift.infra.index.IndexAdvice.Confidence;
import io.nightshift.infra.index.IndexAdvice.Kind;
import io.nightshift.infra.index.IndexAdvice.Risk;
import io.nightshift.infra.index.IndexCatalog;
import io.nightshift.infra.index.IndexForecast;
import io.nightshift.infra.index.IndexForecast.AffectedQuery;
import io.nightshift.infra.index.IndexKey;
import io.nightshift.infra.index.IndexShape;
import io.nightshift.infra.index.IndexStatements;
import io.nightshift.infra.index.Table;
import io.nightshift.infra.run.Severity;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which indexes the queries of a database lack, the one that brings most first. */
public final class MissingIndexes {

    /** What one entry of a B-tree takes to write, in milliseconds: some pages that are mostly in memory, and their WAL. */
    private static final double ENTRY = 0.01;

    /** No query gets worse by more than this. */
    private static final double WORSE = 0.1;

    private static final double BLOCK = 8192;
    /** Bytes of a table that are read, and rows that are sorted, in a second. */
    private static final double READ = 100e6;

    private static final double SORTED = 1e6;

    /** A column behind SET; others that are compared so cost a little caution. */
    private static final Pattern CHANGED = Pattern.compile("(?i)(?:\\bSET\\s+|,\\s*)(\"?[a-z_][a-z0-9_$]*\"?)\\s*=");

    private final IndexCatalog catalog;
    private final List<PlannedQuery> workload;
    private final Map<Long, TableFacts> facts;
    private final PlannerCosts costs;
    private final MissingLimits limits;
    private final ScanReader reader;
    private final int nights;

    private MissingIndexes(
            IndexCatalog catalog,
            List<PlannedQuery> workload,
            int nights,
            Map<Long, TableFacts> facts,
            PlannerCosts costs,
            MissingLimits limits) {
        this.catalog = catalog;
        this.workload = workload;
        this.nights = Math.max(1, nights);
        this.facts = facts;
        this.costs = costs;
        this.limits = limits;
        this.reader = new ScanReader(catalog, facts);
    }

    /**
     * Asks the server for what it knows of the tables of the plans, and works out the advice.
     *
     * @param nights that the workload has been counted in
     * @param session whose {@code search_path} is {@code pg_catalog}
     */
    public static List<IndexAdvice> find(
            IndexCatalog catalog, List<PlannedQuery> workload, int nights, MissingLimits limits, Connection session)
            throws SQLException {
        var names = new ScanReader(catalog, Map.of());
        Set<Long> tables = workload.stream()
                .flatMap(query -> query.plan().tree())
                .flatMap(node -> names.table(node).stream())
                .filter(table -> !table.ofExtension())
                .map(Table::oid)
                .collect(Collectors.toSet());
        Map<Long, TableFacts> facts = TableFactsReader.read(session, tables);
        return new MissingIndexes(catalog, workload, nights, facts, TableFactsReader.costs(session), limits).find();
    }

    private List<IndexAdvice> find() {
        var finder = new CandidateFinder();
        Map<PlannedQuery, Map<Integer, Scan>> scans = new HashMap<>();
        for (PlannedQuery query : workload) {
            scans.put(query, reader.scans(query.plan()));
            finder.weigh(scansOf(scans, query), query.query().milliseconds());
        }
        List<IndexSelection.Case> cases = new ArrayList<>();
        for (PlannedQuery query : workload) {
            Map<Integer, Scan> own = scansOf(scans, query);
            finder.find(query.plan(), own);
            cases.add(new IndexSelection.Case(
                    query,
                    new PlanCost(query.plan(), own, costs),
                    own.values().stream().map(Scan::root).collect(Collectors.toSet())));
        }
        List<IndexCandidate> candidates =
                finder.found().stream().filter(this::isWanted).toList();
        IdentityHashMap<IndexCandidate, Long> bytes = new IdentityHashMap<>();
        IdentityHashMap<IndexCandidate, Double> writing = new IdentityHashMap<>();
        var selection = new IndexSelection(
                cases,
                limits,
                index -> bytes.computeIfAbsent(index, this::bytes),
                index -> writing.computeIfAbsent(index, this::writing));
        List<IndexCandidate> chosen = selection.choose(candidates, room(), this::existing);
        var statements = new IndexStatements(catalog);
        return chosen.stream()
                .map(index -> advice(index, chosen, cases, selection, statements))
                .sorted(Comparator.comparing(MissingIndexes::saved).reversed().thenComparing(IndexAdvice::object))
                .toList();
    }

    private static Duration saved(IndexAdvice advice) {
        return Objects.requireNonNull(advice.forecast()).saved();
    }

    private static Map<Integer, Scan> scansOf(Map<PlannedQuery, Map<Integer, Scan>> scans, PlannedQuery query) {
        return Objects.requireNonNull(scans.get(query));
    }

    /** Of a table large enough, no work for an index that is there, and too cheap to make any query noticeably worse. */
    private boolean isWanted(IndexCandidate candidate) {
        Table table = catalog.table(candidate.table());
        Table.Extent extent = catalog.extentOf(table);
        return extent.rows() >= limits.rows()
                && extent.bytes() >= limits.size().bytes()
                && !isCovered(candidate, table)
                && !isForOneRow(candidate, table)
                && workload.stream().noneMatch(query -> isMadeWorse(query, candidate));
    }

    /** Carrying columns along spares little where one row is found. */
    private boolean isForOneRow(IndexCandidate candidate, Table table) {
        Set<String> keys = candidate.shape().keys().stream().map(IndexKey::text).collect(Collectors.toSet());
        return catalog.indexesOf(table).stream()
                .map(Index::shape)
                .filter(shape -> shape.unique() && shape.predicate() == null)
                .anyMatch(shape -> shape.keys().stream().allMatch(key -> keys.contains(key.text())));
    }

    private boolean isCovered(IndexCandidate candidate, Table table) {
        boolean isCovered = catalog.indexesOf(table).stream().anyMatch(index -> isCovered(candidate, index));
        List<Table> partitions = catalog.partitionsOf(table);
        return isCovered
                || (!partitions.isEmpty()
                        && partitions.stream().allMatch(partition -> isCovered(candidate, partition)));
    }

    private static boolean isCovered(IndexCandidate candidate, Index index) {
        IndexShape shape = candidate.shape();
        IndexShape ofAllRows = IndexCandidate.shape(shape.keys(), shape.included(), null);
        boolean isSameRows = shape.predicate() != null
                && shape.predicate().equals(index.shape().predicate());
        IndexShape real = index.shape();
        IndexShape plain =
                new IndexShape(real.method(), real.keys(), real.included(), null, false, false, real.parameters());
        return index.legible()
                && index.state().isUsable()
                && (real.predicate() == null || isSameRows)
                && ofAllRows.isCoveredBy(plain);
    }

    /** A statement that writes to the table keeps the index up to date as well. */
    private boolean isMadeWorse(PlannedQuery planned, IndexCandidate candidate) {
        return changes(planned, candidate)
                .anyMatch(node ->
                        rows(node) * ENTRY * (isUnsettled(planned, candidate) ? 1 + existing(candidate.table()) : 1)
                                > WORSE * planned.query().mean());
    }

    private Stream<PlanNode> changes(PlannedQuery planned, IndexCandidate candidate) {
        return planned.plan()
                .tree()
                .filter(node ->
                        node.type().equals("ModifyTable") && !node.kind().equals("Delete"))
                .filter(node -> reader.table(node)
                        .filter(table -> table.oid() == candidate.table())
                        .isPresent());
    }

    private static double rows(PlanNode change) {
        return change.children().stream()
                .mapToDouble(child -> Math.max(1, child.estimate().rows()))
                .max()
                .orElse(1);
    }

    /** Whether the statement changes what the index has: then the new row is no heap-only tuple, and goes into every index. */
    private static boolean isUnsettled(PlannedQuery planned, IndexCandidate candidate) {
        Matcher changed = CHANGED.matcher(planned.query().text());
        Set<String> columns = new HashSet<>(IndexScanCost.carried(candidate));
        candidate.shape().keys().stream()
                .filter(key -> !key.isColumn())
                .forEach(key -> columns.add(key.text().replaceAll(".*\\(([a-z_0-9]+).*", "$1")));
        Optional.ofNullable(candidate.predicate()).ifPresent(clause -> columns.add(clause.key()));
        while (changed.find()) {
            if (columns.contains(changed.group(1).replace("\"", ""))) {
                return true;
            }
        }
        return false;
    }

    private double notHeapOnly(IndexCandidate candidate) {
        return workload.stream()
                .filter(planned -> isUnsettled(planned, candidate))
                .mapToDouble(planned -> changes(planned, candidate)
                        .filter(node -> node.kind().equals("Update"))
                        .mapToDouble(node ->
                                planned.query().calls() * rows(node) * ENTRY * (1 + existing(candidate.table())))
                        .sum())
                .sum();
    }

    private List<TableFacts> factsOf(IndexCandidate candidate) {
        return catalog.treeOf(catalog.table(candidate.table()))
                .flatMap(table -> Optional.ofNullable(facts.get(table.oid())).stream())
                .toList();
    }

    private long bytes(IndexCandidate candidate) {
        return (long) (BLOCK
                * factsOf(candidate).stream().mapToDouble(candidate::pages).sum());
    }

    private double writing(IndexCandidate candidate) {
        double entries = factsOf(candidate).stream()
                .mapToDouble(table -> table.writes() * candidate.entries(table) / table.rows())
                .sum();
        return nights * ENTRY * entries + notHeapOnly(candidate);
    }

    private long room() {
        long all = catalog.tables().stream()
                        .mapToLong(table -> table.extent().bytes())
                        .sum()
                + catalog.indexes().stream().mapToLong(Index::bytes).sum();
        return all / 100 * limits.budget();
    }

    private long existing(long table) {
        return catalog.indexesOf(catalog.table(table)).size();
    }

    private IndexAdvice advice(
            IndexCandidate index,
            List<IndexCandidate> chosen,
            List<IndexSelection.Case> cases,
            IndexSelection selection,
            IndexStatements statements) {
        Table table = catalog.table(index.table());
        Table.Extent extent = catalog.extentOf(table);
        List<IndexSelection.Case> using = cases.stream()
                .filter(one -> selection.cost(one, chosen).used().contains(index))
                .sorted(Comparator.comparing((IndexSelection.Case one) ->
                                -one.planned().query().milliseconds())
                        .thenComparing(one -> one.planned().query().name().query()))
                .toList();
        List<AffectedQuery> queries = using.stream()
                .map(one -> new AffectedQuery(
                        one.planned().query().name().query(),
                        one.planned().query().shortText(),
                        one.planned().query().share(),
                        selection.cost(one, chosen).total() / one.now()))
                .toList();
        double before = using.stream()
                .mapToDouble(one -> one.planned().query().milliseconds())
                .sum();
        double after = using.stream()
                .mapToDouble(one -> selection.cost(one, chosen).total() * one.perUnit())
                .sum();
        double writing = writing(index);
        return new IndexAdvice(
                Kind.MISSING,
                catalog.database(),
                table.name() + index.shape().toString(),
                Severity.WARNING,
                reason(index, table, extent, queries, before, after),
                bytes(index),
                "",
                statements.create(table, names(index.shape()), definition(index)),
                Risk.ofBuild(table),
                Confidence.ESTIMATED,
                null,
                new IndexForecast(
                        queries,
                        Duration.ofMillis(Math.round(1000
                                * (1
                                        + extent.bytes() / READ
                                        + index.shape().keys().size() * extent.rows() / SORTED))),
                        Duration.ofMillis(Math.round((before - after) / nights)),
                        Duration.ofMillis(Math.round(writing / nights)),
                        inputs()));
    }

    private String reason(
            IndexCandidate index,
            Table table,
            Table.Extent extent,
            List<AffectedQuery> queries,
            double before,
            double after) {
        double share = queries.stream().mapToDouble(AffectedQuery::share).sum();
        return String.format(
                        Locale.ROOT,
                        "%s, with %.0f %% of the time of all queries here, %s for few of the %,d rows of %s (%s) without an index that"
                                + " leads to them; with this one of %s %s would take about %.0f %% less time (estimated), and each new row"
                                + " of the table is written into it, too",
                        queries.size() == 1 ? "a query" : queries.size() + " queries",
                        share * 100,
                        queries.size() == 1 ? "looks" : "look",
                        extent.rows(),
                        table.name(),
                        new DataSize(extent.bytes()).rounded(),
                        new DataSize(bytes(index)).rounded(),
                        queries.size() == 1 ? "it" : "they",
                        before == 0 ? 0 : (1 - after / before) * 100)
                + misordered(index, table)
                        .map(other -> "; " + other.name() + " " + other.shape()
                                + " has its columns too, but in an order that does not lead to the rows")
                        .orElse("");
    }

    /** An index that would do if other columns were its first ones. */
    private Optional<Index> misordered(IndexCandidate index, Table table) {
        List<String> columns = index.shape().keys().stream().map(IndexKey::text).toList();
        return catalog.indexesOf(table).stream()
                .filter(other -> other.legible()
                        && other.state().isUsable()
                        && other.shape().method().equals(IndexShape.BTREE)
                        && other.shape().predicate() == null
                        && other.shape().keys().stream()
                                .map(IndexKey::text)
                                .toList()
                                .containsAll(columns))
                .findFirst();
    }

    /** What an index is named after; one of the same keys for a foreign key has another name. */
    private static List<String> names(IndexShape shape) {
        return Stream.of(
                        shape.keys().stream().map(IndexKey::text),
                        shape.included().stream(),
                        shape.predicate() == null ? Stream.<String>of() : Stream.of("partial"))
                .flatMap(names -> names)
                .toList();
    }

    private String definition(IndexCandidate index) {
        TableFacts known = factsOf(index).get(0);
        IndexShape shape = index.shape();
        String keys = shape.keys().stream()
                .map(key -> sql(known, key) + order(key.order()))
                .collect(Collectors.joining(", "));
        String included = shape.included().stream()
                .map(name -> Objects.requireNonNull(known.column(name)).sql())
                .collect(Collectors.joining(", "));
        return " USING btree (" + keys + ")"
                + (included.isEmpty() ? "" : " INCLUDE (" + included + ")")
                + (shape.predicate() == null ? "" : " WHERE " + shape.predicate());
    }

    private static String sql(TableFacts known, IndexKey key) {
        return key.isColumn() ? Objects.requireNonNull(known.column(key.text())).sql() : key.text();
    }

    private static String order(int order) {
        return switch (order) {
            case 1 -> " DESC NULLS LAST";
            case 2 -> " NULLS FIRST";
            case 3 -> " DESC";
            default -> "";
        };
    }

    /** Of plans, what they cost, and what is known of the tables. */
    private String inputs() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            workload.forEach(one -> digest.update((one.query().name() + " "
                            + one.query().milliseconds() + "\n" + one.plan().text())
                    .getBytes(StandardCharsets.UTF_8)));
            new TreeMap<>(facts)
                    .values()
                    .forEach(table -> digest.update((table.oid() + " " + table.pages() + " " + table.rows() + " "
                                    + new TreeMap<>(table.columns()).keySet())
                            .getBytes(StandardCharsets.UTF_8)));
            digest.update((costs + " " + limits + " " + nights).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
