package io.nightshift.infra.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Groups of objects in the order in which they can be made. */
final class NeededFirst {

    private NeededFirst() {}

    /** What is made or dropped with one statement, by the object that the statement is of. */
    static Map<String, List<SchemaObject>> grouped(
            Collection<SchemaObject> objects, Function<SchemaObject, String> group) {
        Map<String, List<SchemaObject>> groups = new HashMap<>();
        objects.stream()
                .sorted(Comparator.comparing(SchemaObject::kind).thenComparing(SchemaObject::identity))
                .forEach(object -> groups.computeIfAbsent(group.apply(object), first -> new ArrayList<>())
                        .add(object));
        return groups;
    }

    /** What is needed first; where they need each other, by kind. */
    static List<String> order(
            Map<String, List<SchemaObject>> groups, Schema schema, Function<SchemaObject, String> group) {
        Map<String, Set<String>> waiting = new HashMap<>();
        Map<String, List<String>> waitedFor = new HashMap<>();
        groups.forEach((identity, objects) -> {
            Set<String> needs = new HashSet<>();
            for (SchemaObject object : objects) {
                List<String> needed = new ArrayList<>(object.needs());
                if (object.column() != null) {
                    needed.add(object.column());
                }
                for (String one : needed) {
                    SchemaObject it = schema.get(one);
                    String of = it == null ? one : group.apply(it);
                    if (!of.equals(identity) && groups.containsKey(of)) {
                        needs.add(of);
                    }
                }
            }
            waiting.put(identity, needs);
            needs.forEach(needed -> waitedFor
                    .computeIfAbsent(needed, first -> new ArrayList<>())
                    .add(identity));
        });
        Comparator<String> byKind = Comparator.comparing((String identity) ->
                        schema.find(identity).map(SchemaObject::kind).orElse(ObjectKind.PRIVILEGES))
                .thenComparing(Comparator.naturalOrder());
        PriorityQueue<String> ready = new PriorityQueue<>(byKind);
        TreeSet<String> rest = new TreeSet<>(byKind);
        waiting.forEach((identity, needs) -> (needs.isEmpty() ? ready : rest).add(identity));
        List<String> order = new ArrayList<>();
        while (!ready.isEmpty() || !rest.isEmpty()) {
            String next = ready.isEmpty() ? Objects.requireNonNull(rest.pollFirst()) : ready.poll();
            order.add(next);
            for (String dependent : waitedFor.getOrDefault(next, List.of())) {
                Set<String> needs = Objects.requireNonNull(waiting.get(dependent));
                if (needs.remove(next) && needs.isEmpty() && rest.remove(dependent)) {
                    ready.add(dependent);
                }
            }
        }
        return order;
    }
}
