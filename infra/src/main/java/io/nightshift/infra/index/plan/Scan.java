package io.nightshift.infra.index.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A scan of a table in a plan, and what it looks for.
 *
 * @param root the OID of the partitioned table that the table belongs to; of all others its own
 * @param clauses what it asks of its rows
 * @param needed the columns that the query makes use of
 */
record Scan(
        PlanNode node, long root, TableFacts facts, ConditionReader reader, List<Clause> clauses, Set<String> needed) {

    Scan {
        clauses = List.copyOf(clauses);
        needed = Set.copyOf(needed);
    }

    List<Clause> clausesWith(String joinCondition) {
        List<Clause> all = new ArrayList<>(clauses);
        reader.clauses(joinCondition).stream()
                .filter(clause -> clause.kind() == Clause.Kind.EQUAL)
                .forEach(all::add);
        return all;
    }
}
