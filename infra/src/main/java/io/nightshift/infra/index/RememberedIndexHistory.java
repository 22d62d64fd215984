package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.NodeHistory.Watched;
import io.nightshift.infra.lease.Lease;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** History in memory. */
final class RememberedIndexHistory implements IndexHistory {

    private record Counted(Instant at, long relation, RelationCounts counts) {}

    private static final class Node {
        private @Nullable NodeHistory history;
        private List<Counted> activity = new ArrayList<>();
    }

    private final Map<Place, Map<NodeAddress, Node>> places = new HashMap<>();

    @Override
    public synchronized void keep(Lease owner, Place place, List<IndexSnapshot> snapshots, Duration window) {
        Map<NodeAddress, Node> nodes = places.computeIfAbsent(place, first -> new HashMap<>());
        for (IndexSnapshot snapshot : snapshots) {
            keep(nodes.computeIfAbsent(snapshot.node(), first -> new Node()), snapshot, window);
        }
    }

    private static void keep(Node node, IndexSnapshot snapshot, Duration window) {
        NodeHistory before = node.history;
        NodeHistory.Step step = before == null ? NodeHistory.first(snapshot) : before.next(snapshot);
        Map<Long, Watched> relations = new HashMap<>(before == null ? Map.of() : before.relations());
        relations.keySet().removeAll(step.gone());
        relations.putAll(step.changed());
        node.history = new NodeHistory(step.series(), step.at(), step.window(), relations);
        Instant oldest = snapshot.at().minus(window).minus(MARGIN);
        List<Counted> activity = new ArrayList<>();
        node.activity.stream()
                .filter(one -> !one.at().isBefore(oldest))
                .map(one -> new Counted(
                        one.at(), step.successors().getOrDefault(one.relation(), one.relation()), one.counts()))
                .forEach(activity::add);
        step.activity().forEach((oid, counts) -> activity.add(new Counted(step.at(), oid, counts)));
        node.activity = activity;
    }

    @Override
    public synchronized IndexActivity activity(
            Place place, Collection<NodeAddress> nodes, Instant now, Duration window) {
        Map<NodeAddress, Node> known = places.getOrDefault(place, Map.of());
        Map<NodeAddress, IndexActivity.Node> asked = new HashMap<>();
        Map<Long, IndexActivity.Relation> relations = new HashMap<>();
        known.forEach((address, node) -> {
            NodeHistory history = node.history;
            if (history != null && nodes.contains(address)) {
                asked.put(address, new IndexActivity.Node(history.window(), history.lookedAt()));
                history.relations().forEach((oid, watched) -> relations.merge(oid, relation(watched), this::both));
            }
            node.activity.stream()
                    .filter(one -> one.at().isAfter(now.minus(window)))
                    .forEach(one -> relations.merge(
                            one.relation(), new IndexActivity.Relation(one.counts(), null, null, 0), this::both));
        });
        return new IndexActivity(now, window, asked, relations);
    }

    private static IndexActivity.Relation relation(Watched watched) {
        return new IndexActivity.Relation(RelationCounts.NONE, watched.firstSeen(), watched.disturbed(), 1);
    }

    private IndexActivity.Relation both(IndexActivity.Relation one, IndexActivity.Relation other) {
        return new IndexActivity.Relation(
                one.counts().plus(other.counts()),
                later(one.firstSeen(), other.firstSeen()),
                later(one.disturbed(), other.disturbed()),
                one.nodes() + other.nodes());
    }

    private static @Nullable Instant later(@Nullable Instant one, @Nullable Instant other) {
        return one == null || (other != null && other.isAfter(one)) ? other : one;
    }
}
