package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.IndexKey;
import io.nightshift.infra.index.plan.TableFacts.ColumnFacts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Makes candidates of what scans look for: at most three keys, equalities first, then a range or the order that rows are wanted in. */
final class CandidateFinder {

    private static final int WIDEST = 3;
    /** Bytes of columns that are worth carrying along. */
    private static final double NARROW = 64;

    private static final int FEW = 3;
    private static final double SEEN_BY_ALL = 0.9;
    /** A partial index is for conditions that most scans of the table have. */
    private static final double MOST = 0.8;
    /** What most rows meet is worth neither a key nor a partial index. */
    private static final double HALF = 0.5;

    /** Functions of texts that are immutable whatever the text. */
    private static final Pattern EXPRESSION =
            Pattern.compile("(?:lower|upper)\\(\\(?([a-z_][a-z0-9_$]*)(?:\\)::text)?\\)");

    private final Set<IndexCandidate> found = new LinkedHashSet<>();
    private final Map<Long, Double> weights = new HashMap<>();
    private final Map<Long, Map<String, Double>> constantWeights = new HashMap<>();

    /** @param weight of the query, in milliseconds */
    void weigh(Map<Integer, Scan> scans, double weight) {
        Set<Long> tables = new HashSet<>();
        Map<Long, Set<String>> constants = new HashMap<>();
        scans.values().forEach(scan -> {
            tables.add(scan.root());
            scan.clauses().stream()
                    .filter(Clause::isConstant)
                    .forEach(clause -> constants
                            .computeIfAbsent(scan.root(), first -> new HashSet<>())
                            .add(clause.sql()));
        });
        tables.forEach(table -> weights.merge(table, weight, Double::sum));
        constants.forEach((table, clauses) -> clauses.forEach(clause ->
                constantWeights.computeIfAbsent(table, first -> new HashMap<>()).merge(clause, weight, Double::sum)));
    }

    /** In the order in which they were thought of. */
    List<IndexCandidate> found() {
        return List.copyOf(found);
    }

    void find(PlanNode plan, Map<Integer, Scan> scans) {
        Map<Integer, Set<Clause>> asked = new LinkedHashMap<>();
        scans.forEach((number, scan) -> asked.put(number, new LinkedHashSet<>(scan.clauses())));
        Map<Integer, List<SortKey>> orders = new HashMap<>();
        plan.tree().forEach(node -> {
            PlanCost.lookedInto(node)
                    .forEach(side -> Optional.ofNullable(scans.get(side.number()))
                            .ifPresent(scan -> asked.computeIfAbsent(side.number(), first -> new LinkedHashSet<>())
                                    .addAll(scan.clausesWith(PlanCost.condition(node)))));
            if (node.type().equals("Sort")) {
                leading(node.children().get(0), scans)
                        .ifPresent(scan -> orders.put(
                                scan.node().number(),
                                node.sortKeys().stream().map(SortKey::of).toList()));
            }
        });
        scans.forEach((number, scan) ->
                find(scan, List.copyOf(asked.getOrDefault(number, Set.of())), orders.getOrDefault(number, List.of())));
    }

    /** The scan whose order is that of the node's rows. */
    private static Optional<Scan> leading(PlanNode node, Map<Integer, Scan> scans) {
        Scan scan = scans.get(node.number());
        if (scan != null) {
            return Optional.of(scan);
        }
        return node.type().equals("Nested Loop") ? leading(node.children().get(0), scans) : Optional.empty();
    }

    private void find(Scan scan, List<Clause> clauses, List<SortKey> order) {
        TableFacts facts = scan.facts();
        List<IndexKey> equal = clauses.stream()
                .filter(clause -> clause.isEquality() && facts.selectivity(clause) <= HALF)
                .sorted(Comparator.comparing(facts::selectivity).thenComparing(Clause::key))
                .flatMap(clause -> key(facts, clause, 0).stream())
                .distinct()
                .limit(FEW + 1)
                .toList();
        List<IndexKey> ranges = clauses.stream()
                .filter(Clause::isRange)
                .flatMap(clause -> key(facts, clause, 0).stream())
                .distinct()
                .toList();
        List<List<IndexKey>> begins = begins(equal);
        for (List<IndexKey> begin : begins) {
            add(scan, begin, clauses);
            for (IndexKey range : ranges) {
                add(scan, joined(begin, List.of(range)), clauses);
            }
            add(scan, joined(begin, ordering(scan, order)), clauses);
        }
    }

    /** Each by itself, and the most selective ones together; and none. */
    private static List<List<IndexKey>> begins(List<IndexKey> equal) {
        Set<List<IndexKey>> begins = new LinkedHashSet<>();
        begins.add(List.of());
        equal.forEach(one -> begins.add(List.of(one)));
        for (int width = 2; width <= Math.min(WIDEST, equal.size()); width++) {
            begins.add(equal.subList(0, width));
        }
        if (equal.size() > 2) {
            begins.add(List.of(equal.get(0), equal.get(2)));
            begins.add(equal.subList(1, 3));
        }
        return List.copyOf(begins);
    }

    private static List<IndexKey> joined(List<IndexKey> begin, List<IndexKey> end) {
        List<IndexKey> keys = new ArrayList<>(begin);
        end.stream()
                .filter(key -> begin.stream().noneMatch(other -> other.text().equals(key.text())))
                .forEach(keys::add);
        return keys.subList(0, Math.min(WIDEST, keys.size()));
    }

    /** Ascending, where read backwards it does as well. */
    private static List<IndexKey> ordering(Scan scan, List<SortKey> order) {
        boolean isPlain = order.stream().allMatch(key -> key.order() == 3)
                || order.stream().allMatch(key -> key.order() == 0);
        List<IndexKey> keys = new ArrayList<>();
        for (SortKey sort : order) {
            ColumnFacts column = scan.reader()
                    .key(sort.expression())
                    .map(scan.facts()::column)
                    .orElse(null);
            if (column == null) {
                break;
            }
            keys.add(IndexCandidate.key(column, isPlain ? 0 : sort.order()));
        }
        return keys;
    }

    private static Optional<IndexKey> key(TableFacts facts, Clause clause, int order) {
        if (clause.isColumn()) {
            return Optional.ofNullable(facts.column(clause.key())).map(column -> IndexCandidate.key(column, order));
        }
        Matcher expression = EXPRESSION.matcher(clause.key());
        ColumnFacts column = expression.matches() ? facts.column(expression.group(1)) : null;
        return Optional.ofNullable(column)
                .map(known -> new IndexKey(
                        clause.key(), false, known.operatorClass(), known.family(), "", known.collation(), order, -1));
    }

    private void add(Scan scan, List<IndexKey> keys, List<Clause> clauses) {
        if (keys.isEmpty()) {
            return;
        }
        keep(scan, keys, null);
        clauses.stream().filter(clause -> isCommon(scan, clause)).forEach(constant -> {
            List<IndexKey> others = keys.stream()
                    .filter(key -> !key.text().equals(constant.key()))
                    .toList();
            if (!others.isEmpty()) {
                keep(scan, others, constant);
            }
        });
    }

    private boolean isCommon(Scan scan, Clause clause) {
        double weight = weights.getOrDefault(scan.root(), 0.0);
        double own = constantWeights.getOrDefault(scan.root(), Map.of()).getOrDefault(clause.sql(), 0.0);
        return clause.isConstant() && own >= MOST * weight && scan.facts().selectivity(clause) <= HALF;
    }

    private void keep(Scan scan, List<IndexKey> keys, @Nullable Clause predicate) {
        var plain = new IndexCandidate(scan.root(), IndexCandidate.shape(keys, List.of(), predicate), predicate);
        found.add(plain);
        Set<String> carried = IndexScanCost.carried(plain);
        List<String> missing = scan.needed().stream()
                .filter(name -> !carried.contains(name))
                .sorted()
                .toList();
        double width = missing.stream()
                .mapToDouble(name -> Optional.ofNullable(scan.facts().column(name))
                        .map(ColumnFacts::width)
                        .orElse(NARROW + 1))
                .sum();
        if (!missing.isEmpty()
                && missing.size() <= FEW
                && width <= NARROW
                && scan.facts().visible() >= SEEN_BY_ALL) {
            found.add(new IndexCandidate(scan.root(), IndexCandidate.shape(keys, missing, predicate), predicate));
        }
    }
}
