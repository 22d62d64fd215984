package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.IndexCatalog;
import io.nightshift.infra.index.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds what the scans of a plan look for. Scans of tables that nothing is known of, such as those of the catalogs, are left out. */
final class ScanReader {

    private static final List<String> OWN_CONDITIONS = List.of("Index Cond", "Recheck Cond", "Filter");

    private final Map<String, Table> tables = new HashMap<>();
    private final Map<Long, Table> byOid = new HashMap<>();
    private final Map<Long, TableFacts> facts;

    ScanReader(IndexCatalog catalog, Map<Long, TableFacts> facts) {
        this.facts = facts;
        catalog.tables().forEach(table -> {
            tables.put(table.name().schema() + "." + table.name().name(), table);
            byOid.put(table.oid(), table);
        });
    }

    Optional<Table> table(PlanNode node) {
        PlanNode.Relation relation = node.relation();
        return relation == null
                ? Optional.empty()
                : Optional.ofNullable(tables.get(relation.schema() + "." + relation.name()));
    }

    private long root(Table table) {
        Long parent = table.parent();
        return parent == null || !byOid.containsKey(parent) ? table.oid() : root(byOid.get(parent));
    }

    /** By the numbers of their nodes. */
    Map<Integer, Scan> scans(PlanNode plan) {
        List<PlanNode> all = plan.tree().toList();
        boolean isOnly = all.stream().filter(PlanNode::isScan).count() == 1;
        Map<Integer, Scan> scans = new LinkedHashMap<>();
        for (PlanNode node : all) {
            TableFacts known = node.isScan()
                    ? table(node).map(table -> facts.get(table.oid())).orElse(null)
                    : null;
            if (known != null) {
                scans.put(node.number(), scan(node, known, all, isOnly));
            }
        }
        return scans;
    }

    private Scan scan(PlanNode node, TableFacts known, List<PlanNode> all, boolean isOnly) {
        var reader = new ConditionReader(Objects.requireNonNull(node.relation()).alias());
        List<Clause> clauses = new ArrayList<>();
        OWN_CONDITIONS.stream()
                .flatMap(name -> Optional.ofNullable(node.conditions().get(name)).stream())
                .flatMap(condition -> reader.clauses(condition).stream())
                .filter(clause -> !clauses.contains(clause))
                .forEach(clauses::add);
        long root = table(node).map(this::root).orElseThrow();
        return new Scan(node, root, known, reader, clauses, needed(node, known, reader, all, isOnly));
    }

    /** A scan may give columns that nobody asks for: what the nodes above it give counts. */
    private static Set<String> needed(
            PlanNode scan, TableFacts known, ConditionReader reader, List<PlanNode> all, boolean isOnly) {
        Set<String> needed = new HashSet<>();
        for (PlanNode node : all) {
            boolean isWithin = scan.tree().anyMatch(part -> part.number() == node.number());
            boolean isTop = all.get(0).number() == scan.number();
            Stream<String> given = isWithin && !isTop
                    ? Stream.empty()
                    : Stream.concat(node.output().stream(), node.sortKeys().stream());
            Stream.concat(given, node.conditions().values().stream()).forEach(text -> {
                needed.addAll(reader.columns(text));
                if (reader.hasWholeRow(text)) {
                    needed.add("*");
                }
                if (isOnly) {
                    known.columns().values().stream()
                            .filter(column -> isWordIn(column.sql(), text))
                            .forEach(column -> needed.add(column.name()));
                    if (isWordIn("ctid", text)) {
                        needed.add("ctid");
                    }
                }
            });
        }
        return needed;
    }

    private static boolean isWordIn(String word, String text) {
        return Pattern.compile("(?<![\\w\"$])" + Pattern.quote(word) + "(?![\\w\"$(])")
                .matcher(text)
                .find();
    }
}
