package io.nightshift.infra.health;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Servers as a cluster that a role with nothing but {@code pg_monitor} looks at. */
record HealthTrial(
        List<NodeAddress> nodes,
        String role,
        DatabaseSelection databases,
        Clock clock,
        List<SqlCheck> checks,
        CounterReadings readings) {

    static final String CLUSTER = "chanuka";
    static final String MONITOR = "watch";
    static final String PASSWORD = "secret";

    /** What servers of tests need to be healthy, beside what the fixture makes fast. */
    static final Map<String, String> HEALTHY = Map.of(
            "fsync", "on",
            "archive_mode", "on",
            "archive_command", "true",
            "max_prepared_transactions", "5",
            "wal_level", "logical",
            "deadlock_timeout", "10ms",
            "autovacuum_naptime", "1h");

    static HealthTrial of(TestPostgres... servers) {
        return new HealthTrial(
                Arrays.stream(servers).map(HealthTrial::address).toList(),
                MONITOR,
                DatabaseSelection.ALL,
                Clock.systemUTC(),
                HealthChecks.BY_SQL,
                CounterReadings.ofThisProcess());
    }

    static NodeAddress address(TestPostgres server) {
        return new NodeAddress("127.0.0.1", server.port());
    }

    static TestPostgres streaming(TestPostgres primary, int major) throws IOException {
        Map<String, String> settings = new HashMap<>(HEALTHY);
        settings.put("max_connections", "100");
        settings.put(
                "primary_conninfo",
                "host=127.0.0.1 port=" + primary.port() + " user=postgres password=" + primary.password());
        TestPostgres standby = TestPostgres.prepare(major, settings);
        Files.createFile(standby.dataDirectory().resolve("standby.signal"));
        standby.restart();
        return standby;
    }

    static void createMonitor(TestPostgres primary) {
        primary.execute(
                "postgres",
                "CREATE ROLE " + MONITOR + " LOGIN PASSWORD '" + PASSWORD + "'",
                "GRANT pg_monitor TO " + MONITOR);
    }

    HealthTrial as(String other) {
        return new HealthTrial(nodes, other, databases, clock, checks, readings);
    }

    HealthTrial in(DatabaseSelection chosen) {
        return new HealthTrial(nodes, role, chosen, clock, checks, readings);
    }

    HealthTrial at(Clock other) {
        return new HealthTrial(nodes, role, databases, other, checks, readings);
    }

    HealthTrial with(SqlCheck... others) {
        return new HealthTrial(nodes, role, databases, clock, List.of(others), readings);
    }

    HealthTrial with(NodeAddress... more) {
        return new HealthTrial(
                Stream.concat(nodes.stream(), Arrays.stream(more)).toList(), role, databases, clock, checks, readings);
    }

    private ClusterConnections connections() {
        ClusterConfig config = new ClusterConfig(
                CLUSTER,
                nodes,
                role,
                new Secret(PASSWORD),
                SslMode.DISABLE,
                null,
                null,
                null,
                false,
                "postgres",
                databases,
                Map.of("local", StorageDuty.REQUIRED),
                1,
                Map.of());
        return new ClusterConnections(config, Passwords.of(Map.of("HOME", "")), clock);
    }

    /** @param overrides keys and values in turn, such as {@code connections.warning}, {@code 1} */
    HealthReport look(String... overrides) {
        return look(new Cancellation(), overrides);
    }

    HealthReport look(Cancellation cancellation, String... overrides) {
        Map<String, String> changed = new LinkedHashMap<>();
        for (int i = 0; i < overrides.length; i += 2) {
            changed.put(overrides[i], overrides[i + 1]);
        }
        try (ClusterConnections connections = connections()) {
            return new ClusterHealth(connections, readings, checks, clock)
                    .look(RecordBinder.withOverrides(HealthSettings.defaults(), changed), "test", cancellation);
        }
    }

    /** What a check found. */
    static List<Wrong> findings(HealthReport report, String check) {
        return report.findings().stream()
                .filter(finding -> finding.check().equals(check))
                .toList();
    }

    static List<NotEvaluated> gaps(HealthReport report, String check) {
        return report.notEvaluated().stream()
                .filter(gap -> gap.check().equals(check))
                .toList();
    }
}
