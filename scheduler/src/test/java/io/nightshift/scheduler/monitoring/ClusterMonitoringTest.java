package io.nightshift.scheduler.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.health.HealthSettings;
import io.nightshift.infra.metrics.Meters;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.server.TestPostgres;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/** A node that answers and one that does not, as a monitoring system sees them. */
class ClusterMonitoringTest {

    @Test
    void metrics_and_health_say_what_is_known_of_each_node_and_nothing_of_what_is_not() {
        try (TestPostgres server = TestPostgres.start(18)) {
            NodeAddress here = new NodeAddress("127.0.0.1", server.port());
            NodeAddress away = new NodeAddress("127.0.0.1", 1);
            ClusterConfig config = new ClusterConfig(
                    "prod",
                    List.of(here, away),
                    server.username(),
                    new Secret(server.password()),
                    SslMode.DISABLE,
                    null,
                    null,
                    null,
                    false,
                    "postgres",
                    DatabaseSelection.ALL,
                    Map.of("local", StorageDuty.REQUIRED),
                    1,
                    Map.of());
            SimpleMeterRegistry meters = new SimpleMeterRegistry();
            try (DatabaseOrchestrator clusters = new DatabaseOrchestrator(
                    Map.of("prod", config), Passwords.of(Map.of("HOME", "")), Clock.systemUTC())) {
                new ClusterMetrics(meters, clusters);

                await().atMost(Duration.ofMinutes(1)).until(() -> value(meters, Meters.NODE_UP, here) == 1);

                assertThat(value(meters, Meters.NODE_PRIMARY, here)).isEqualTo(1);
                assertThat(value(meters, Meters.NODE_LAG, here)).isZero();
                assertThat(value(meters, Meters.NODE_SINCE_REPLAY, here)).isNaN();
                assertThat(value(meters, Meters.NODE_CONNECTIONS_ALLOWED, here)).isEqualTo(57);
                assertThat(value(meters, Meters.NODE_BREAKER_OPEN, here)).isZero();
                assertThat(value(meters, Meters.NODE_UP, away)).isZero();
                assertThat(value(meters, Meters.NODE_LAG, away)).isNaN();
                assertThat(value(meters, Meters.NODE_CONNECTIONS_USED, away)).isNaN();
                assertThat(meters.get(Meters.CLUSTER_CONFLICT)
                                .tag("cluster", "prod")
                                .gauge()
                                .value())
                        .isZero();
                Health before = new ClustersHealth(clusters).health();
                clusters.cluster("prod").node(here).facts("test");
                clusters.cluster("prod").health(HealthSettings.defaults(), "test", new Cancellation());
                Health health = new ClustersHealth(clusters).health();
                assertThat(health.getStatus()).isEqualTo(Status.UP);
                assertThat(String.valueOf(health.getDetails().get("prod")))
                        .containsPattern("cannot=\\{amcheck=extension amcheck is not installed in database postgres, ")
                        .containsPattern(
                                "lastHealthCheck=\\{at=[^,]+, critical=\\d+, warnings=\\d+, notEvaluated=\\d+}}$");
                assertThat(String.valueOf(before.getDetails().get("prod")))
                        .matches(Pattern.quote("{" + here) + "=\\{at=[^,]+, role=primary, timeline=1, breaker=closed}, "
                                + Pattern.quote(away.toString()) + "=\\{at=[^,]+, reason=.+, breaker=closed}}");
            }
        }
    }

    private static double value(SimpleMeterRegistry meters, String name, NodeAddress node) {
        return meters.get(name).tag("node", node.toString()).gauge().value();
    }
}
