package io.nightshift.infra.routing;

import io.nightshift.infra.config.NodeAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows how the nodes of a cluster are: looks every five seconds, a second after one did not answer, and at once when
 * somebody has reason to doubt. It begins when it is first asked, and rests a minute after it was last asked unless it is
 * told to {@link #watch}. Thread-safe.
 */
public final class NodeMonitor implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NodeMonitor.class);

    private final String cluster;
    private final Clock clock;
    private final ClusterMemory memory;
    private final List<NodeWatch> watches;
    private final List<Consumer<NodeObservation>> listeners = new CopyOnWriteArrayList<>();
    private final AtomicReference<String> told = new AtomicReference<>("");

    NodeMonitor(NodeSessions sessions, Clock clock) {
        this.cluster = sessions.cluster().name();
        this.clock = clock;
        this.memory = new ClusterMemory(cluster, sessions.cluster().nodes());
        this.watches = sessions.cluster().nodes().stream()
                .map(node -> new NodeWatch(sessions, node, clock, this::seen))
                .toList();
    }

    /** Goes on looking though nobody asks. */
    public void watch() {
        watches.forEach(NodeWatch::always);
    }

    /** What is known without asking: nodes that nobody has looked at are missing. Never waits. */
    public ObservedCluster known() {
        return memory.with(
                watches.stream().map(NodeWatch::known).flatMap(Optional::stream).toList());
    }

    /** As it was last seen, some seconds ago at most; waits up to five seconds for nodes that nobody has looked at lately. */
    public ObservedCluster observed() {
        List<Long> numbers = watches.stream().map(NodeWatch::askUnlessFresh).toList();
        ObservedCluster observed = collect(numbers);
        // Looks of different times contradict each other while a standby is promoted.
        return observed.contradiction().isPresent() ? observeNow() : observed;
    }

    /** As it is now; a node that takes longer than five seconds does not answer. */
    public ObservedCluster observeNow() {
        List<Long> numbers = watches.stream().map(NodeWatch::ask).toList();
        return collect(numbers);
    }

    /** One node as it is now, the same way; empty when it is not configured. */
    Optional<NodeObservation> observeNow(NodeAddress node) {
        return watches.stream()
                .filter(watch -> watch.node().equals(node))
                .findFirst()
                .map(watch -> watch.await(watch.ask()));
    }

    /** Somebody has seen this node fail: it is looked at again at once. */
    void doubt(NodeAddress node) {
        watches.stream().filter(watch -> watch.node().equals(node)).forEach(NodeWatch::ask);
    }

    /** Told of each look, on the thread that has looked. */
    void onLook(Consumer<NodeObservation> listener) {
        listeners.add(listener);
    }

    private ObservedCluster collect(List<Long> numbers) {
        List<NodeObservation> nodes = new ArrayList<>();
        for (int i = 0; i < watches.size(); i++) {
            nodes.add(watches.get(i).await(numbers.get(i)));
        }
        return memory.with(nodes);
    }

    private void seen(NodeObservation observation) {
        Set<NodeAddress> doubtful = memory.seen(observation, clock.instant());
        alert();
        doubtful.forEach(this::doubt);
        listeners.forEach(listener -> listener.accept(observation));
    }

    /** A conflict is said once when it begins, and once when it is over. */
    private synchronized void alert() {
        String now = memory.standing()
                .map(conflict -> conflict.refusal().explained())
                .orElse("");
        if (!told.getAndSet(now).equals(now)) {
            if (now.isEmpty()) {
                LOG.info("cluster {}: its nodes agree again", cluster);
            } else {
                LOG.error("{}", now);
            }
        }
    }

    @Override
    public void close() {
        watches.forEach(NodeWatch::close);
    }
}
