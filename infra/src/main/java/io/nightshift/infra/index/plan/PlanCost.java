package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.IndexKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What a plan would cost with indexes that are not there. Only what an index changes is costed anew: scans, the joins that could be nested
 * loops over one, and sorts that its order spares; everything else keeps what the planner said. Never more than now.
 */
final class PlanCost {

    private static final Set<String> PASSING = Set.of("Hash", "Sort", "Materialize", "Memoize");
    private static final Set<String> JOINS = Set.of("Hash Join", "Merge Join", "Nested Loop");
    private static final Set<String> KEEPING_OUTER_ROWS = Set.of("Inner", "Left", "Semi", "Anti");
    private static final int REVERSED = 3;

    private final PlanNode plan;
    private final Map<Integer, Scan> scans;
    private final PlannerCosts costs;
    private final IndexScanCost scanCost;

    PlanCost(PlanNode plan, Map<Integer, Scan> scans, PlannerCosts costs) {
        this.plan = plan;
        this.scans = scans;
        this.costs = costs;
        this.scanCost = new IndexScanCost(costs);
    }

    Cost with(Collection<IndexCandidate> indexes) {
        return cost(plan, indexes, 1);
    }

    private Cost cost(PlanNode node, Collection<IndexCandidate> indexes, double loops) {
        Scan scan = scans.get(node.number());
        Cost cost = asPlanned(node, indexes, loops, scan != null);
        if (scan != null) {
            for (IndexCandidate index : indexes) {
                cost = better(
                        cost,
                        probe(
                                scan,
                                index,
                                scan.clauses(),
                                loops,
                                node.estimate().rows(),
                                false));
            }
        }
        if (JOINS.contains(node.type())) {
            for (Cost loop : nestedLoops(node, indexes, loops)) {
                cost = cost.orBetter(loop);
            }
        }
        if (node.type().equals("Sort")) {
            List<SortKey> keys = node.sortKeys().stream().map(SortKey::of).toList();
            cost = better(cost, ordered(child(node, "Outer"), keys, indexes, loops));
        }
        return cost;
    }

    private static Cost better(Cost cost, Optional<Cost> other) {
        return other.map(cost::orBetter).orElse(cost);
    }

    private Optional<Cost> probe(
            Scan scan, IndexCandidate index, List<Clause> clauses, double loops, double least, boolean isOrdered) {
        return index.table() == scan.root()
                ? scanCost.of(index, scan.facts(), clauses, scan.needed(), loops, least, isOrdered)
                : Optional.empty();
    }

    private Cost asPlanned(PlanNode node, Collection<IndexCandidate> indexes, double loops, boolean isScan) {
        Cost cost = new Cost(node.estimate().startup(), node.estimate().total());
        for (PlanNode child : node.children()) {
            if (isScan && child.role().equals("Outer")) {
                continue;
            }
            double times = times(node, child);
            Cost now = cost(child, indexes, loops * times);
            double total = now.total() - child.estimate().total();
            double startup = now.startup() - child.estimate().startup();
            if (node.type().equals("Limit") && child.role().equals("Outer")) {
                double part = Math.min(
                        1, node.estimate().rows() / Math.max(1, child.estimate().rows()));
                cost = cost.plus(startup, startup + part * (total - startup));
            } else {
                cost = cost.plus(isWaitedFor(node, child) ? total : startup, times * total);
            }
            cost = cost.with(now.used());
        }
        return cost;
    }

    /** Whether the child has to give its last row before the node gives its first. */
    private static boolean isWaitedFor(PlanNode node, PlanNode child) {
        return switch (node.type()) {
            case "Sort", "Hash", "Aggregate", "WindowAgg" -> true;
            case "Hash Join" -> child.role().equals("Inner");
            default -> child.role().equals("InitPlan");
        };
    }

    private static double times(PlanNode node, PlanNode child) {
        boolean isKept = PASSING.contains(child.type());
        if (node.type().equals("Nested Loop") && child.role().equals("Inner") && !isKept) {
            return Math.max(1, child(node, "Outer").estimate().rows());
        }
        boolean isHashed =
                node.conditions().values().stream().anyMatch(condition -> condition.contains("hashed SubPlan"));
        return child.role().equals("SubPlan") && !isHashed
                ? Math.max(1, node.estimate().rows())
                : 1;
    }

    private static PlanNode child(PlanNode node, String role) {
        return node.children().stream()
                .filter(child -> child.role().equals(role))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(node.type() + " without " + role));
    }

    private static PlanNode below(PlanNode node, Set<String> passing) {
        return passing.contains(node.type()) && !node.children().isEmpty()
                ? below(node.children().get(0), passing)
                : node;
    }

    /** The condition of a join that ties its sides together; empty for none. */
    static String condition(PlanNode join) {
        return Objects.requireNonNullElse(
                join.conditions().get("Hash Cond"),
                Objects.requireNonNullElse(
                        join.conditions().get("Merge Cond"), join.conditions().getOrDefault("Join Filter", "")));
    }

    /** The scans at the sides of a join that could be looked into once for each row of the other side. */
    static List<PlanNode> lookedInto(PlanNode join) {
        List<PlanNode> sides = new ArrayList<>();
        if (JOINS.contains(join.type()) && !condition(join).isEmpty()) {
            if (KEEPING_OUTER_ROWS.contains(join.kind())) {
                sides.add(below(child(join, "Inner"), PASSING));
            }
            if (join.kind().equals("Inner")) {
                sides.add(below(child(join, "Outer"), PASSING));
            }
        }
        return sides;
    }

    private List<Cost> nestedLoops(PlanNode join, Collection<IndexCandidate> indexes, double loops) {
        List<Cost> found = new ArrayList<>();
        for (PlanNode side : lookedInto(join)) {
            Scan scan = scans.get(side.number());
            if (scan == null) {
                continue;
            }
            PlanNode inner = below(child(join, "Inner"), PASSING);
            PlanNode driver = below(
                    child(join, inner.number() == side.number() ? "Outer" : "Inner"),
                    Set.of("Hash", "Sort", "Materialize"));
            List<Clause> clauses = scan.clausesWith(condition(join));
            if (clauses.size() == scan.clauses().size()) {
                continue;
            }
            Cost driving = cost(driver, indexes, loops);
            double rows = Math.max(1, driver.estimate().rows());
            for (IndexCandidate index : indexes) {
                probe(scan, index, clauses, loops * rows, 0, false)
                        .map(one -> driving.plus(
                                        one.startup(),
                                        rows * one.total() + join.estimate().rows() * costs.tuple())
                                .with(one.used()))
                        .ifPresent(found::add);
            }
        }
        return found;
    }

    /** What the node costs when its rows come in this order without a sort. */
    private Optional<Cost> ordered(
            PlanNode node, List<SortKey> keys, Collection<IndexCandidate> indexes, double loops) {
        Scan scan = scans.get(node.number());
        if (scan != null) {
            return indexes.stream()
                    .flatMap(index -> ordered(scan, keys, index, loops).stream())
                    .reduce(Cost::orBetter);
        }
        if (!node.type().equals("Nested Loop")
                || !(node.kind().equals("Inner") || node.kind().equals("Left"))) {
            return Optional.empty();
        }
        PlanNode outer = child(node, "Outer");
        return ordered(outer, keys, indexes, loops).map(first -> {
            Cost planned = asPlanned(node, indexes, loops, false);
            Cost outerPlanned = cost(outer, indexes, loops);
            double total = planned.total() + first.total() - outerPlanned.total();
            return new Cost(first.startup() + child(node, "Inner").estimate().startup(), total)
                    .with(planned.used())
                    .with(first.used());
        });
    }

    private Optional<Cost> ordered(Scan scan, List<SortKey> keys, IndexCandidate index, double loops) {
        int matched = index.table() == scan.root() ? matched(scan, keys, index) : 0;
        if (matched == 0) {
            return Optional.empty();
        }
        double rows = Math.max(1, scan.node().estimate().rows());
        return probe(scan, index, scan.clauses(), loops, scan.node().estimate().rows(), true)
                .map(cost ->
                        matched == keys.size() ? cost : sortedInGroups(cost, rows, groups(scan, keys, matched, rows)));
    }

    private static double groups(Scan scan, List<SortKey> keys, int matched, double rows) {
        double groups = 1;
        for (SortKey key : keys.subList(0, matched)) {
            TableFacts.ColumnFacts column = scan.reader()
                    .key(key.expression())
                    .map(scan.facts()::column)
                    .orElse(null);
            groups *= column == null ? rows : Math.max(1, column.distinct());
        }
        return Math.min(groups, rows);
    }

    /** An incremental sort: the first group must be there before its first row. */
    private Cost sortedInGroups(Cost cost, double rows, double groups) {
        double sorting = 2 * costs.operator() * rows * Math.log(Math.max(2, rows / groups)) / Math.log(2);
        return cost.plus((cost.total() - cost.startup() + sorting) / groups, sorting);
    }

    /** How many of the first sort keys the index has its rows in the order of. */
    private static int matched(Scan scan, List<SortKey> keys, IndexCandidate index) {
        return Math.max(matched(scan, keys, index, 0), matched(scan, keys, index, REVERSED));
    }

    private static int matched(Scan scan, List<SortKey> keys, IndexCandidate index, int turn) {
        int matched = 0;
        for (IndexKey key : index.shape().keys()) {
            while (matched < keys.size() && isFixed(scan, keys.get(matched))) {
                matched++;
            }
            boolean isNext = matched < keys.size()
                    && scan.reader()
                            .key(keys.get(matched).expression())
                            .filter(key.text()::equals)
                            .isPresent()
                    && (key.order() ^ turn) == keys.get(matched).order();
            if (isNext) {
                matched++;
            } else if (!isFixed(scan, key.text())) {
                break;
            }
        }
        return matched;
    }

    private static boolean isFixed(Scan scan, SortKey key) {
        return scan.reader()
                .key(key.expression())
                .filter(column -> isFixed(scan, column))
                .isPresent();
    }

    private static boolean isFixed(Scan scan, String column) {
        return scan.clauses().stream()
                .anyMatch(clause ->
                        clause.key().equals(column) && clause.isEquality() && clause.kind() != Clause.Kind.ANY);
    }
}
