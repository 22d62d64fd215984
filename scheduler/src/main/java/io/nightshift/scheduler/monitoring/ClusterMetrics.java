package io.nightshift.scheduler.monitoring;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.metrics.Meters;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.routing.NodeObservation.Answered;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** How the nodes of the clusters are, as meters. What is not known is NaN, never 0. */
public final class ClusterMetrics {

    private static final String OPEN = "open";

    private final MeterRegistry meters;

    /** Keeps an eye on the clusters from now on. */
    public ClusterMetrics(MeterRegistry meters, DatabaseOrchestrator clusters) {
        this.meters = meters;
        clusters.watch();
        clusters.clusters().forEach(this::register);
    }

    private void register(ManagedCluster cluster) {
        Gauge.builder(
                        Meters.CLUSTER_CONFLICT,
                        cluster,
                        one -> number(one.known().conflict().isPresent()))
                .tag("cluster", cluster.name())
                .register(meters);
        for (NodeAddress node : cluster.config().nodes()) {
            gauge(
                    Meters.NODE_UP,
                    cluster,
                    node,
                    one -> number(answered(one, node).isPresent()));
            gauge(
                    Meters.NODE_PRIMARY,
                    cluster,
                    node,
                    one -> number(one.known()
                            .primary()
                            .filter(primary -> primary.node().equals(node))
                            .isPresent()));
            gauge(Meters.NODE_LAG, cluster, node, one -> lag(one, node));
            gauge(
                    Meters.NODE_SINCE_REPLAY,
                    cluster,
                    node,
                    one -> answered(one, node)
                            .flatMap(seen -> Optional.ofNullable(seen.sinceReplay()))
                            .map(since -> since.toMillis() / 1000.0)
                            .orElse(Double.NaN));
            gauge(
                    Meters.NODE_CONNECTIONS_USED,
                    cluster,
                    node,
                    one -> answered(one, node)
                            .map(seen -> (double) seen.sessions().used())
                            .orElse(Double.NaN));
            gauge(
                    Meters.NODE_CONNECTIONS_ALLOWED,
                    cluster,
                    node,
                    one -> answered(one, node)
                            .map(seen -> (double) seen.sessions().allowed())
                            .orElse(Double.NaN));
            gauge(Meters.NODE_SESSIONS, cluster, node, one -> one.lent(node));
            gauge(
                    Meters.NODE_BREAKER_OPEN,
                    cluster,
                    node,
                    one -> number(one.breaker(node).equals(OPEN)));
        }
    }

    private void gauge(String name, ManagedCluster cluster, NodeAddress node, ToDoubleFunction<ManagedCluster> value) {
        Gauge.builder(name, cluster, value)
                .tag("cluster", cluster.name())
                .tag("node", node.toString())
                .register(meters);
    }

    private static Optional<Answered> answered(ManagedCluster cluster, NodeAddress node) {
        return cluster.known().node(node).filter(Answered.class::isInstance).map(Answered.class::cast);
    }

    private static double lag(ManagedCluster cluster, NodeAddress node) {
        return answered(cluster, node)
                .flatMap(seen -> seen.inRecovery() ? cluster.known().lag(seen) : Optional.of(new DataSize(0)))
                .map(lag -> (double) lag.bytes())
                .orElse(Double.NaN);
    }

    private static double number(boolean truth) {
        return truth ? 1 : 0;
    }
}
