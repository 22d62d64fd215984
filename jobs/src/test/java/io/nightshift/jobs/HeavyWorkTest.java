package io.nightshift.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.health.CounterReadings;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.orchestrator.Shared;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.backup.FullBackupJobType;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Two runs that want to work one node hard. */
class HeavyWorkTest {

    private static RememberedRun run() {
        return RememberedRun.first(TestCluster.NAME, new Nothing(), false);
    }

    private record Nothing() {}

    @Test
    void the_second_waits_visibly_until_the_first_is_done_and_another_node_is_free() {
        try (TestCluster cluster = TestCluster.start(18, Map.of());
                DatabaseOrchestrator clusters = cluster.orchestrator()) {
            NodeAddress here = new NodeAddress("127.0.0.1", cluster.postgres().port());
            ManagedNode node = clusters.cluster(TestCluster.NAME).node(here);
            ManagedNode other = clusters.cluster(TestCluster.NAME).node(new NodeAddress("127.0.0.1", 1));
            RememberedRun first = run();
            RememberedRun second = run();
            HeavyWork.Place place = node.heavyWork(first);
            other.heavyWork(second).close();

            CompletableFuture<HeavyWork.Place> waiting = CompletableFuture.supplyAsync(() -> node.heavyWork(second));
            await().until(() -> second.progress()
                    .snapshot()
                    .step()
                    .equals("wait for run " + first.id() + ", which works " + here + " hard"));
            boolean early = waiting.isDone();
            place.close();
            waiting.join().close();

            assertThat(early).isFalse();
            assertThat(new FullBackupJobType().heavy()).isTrue();
        }
    }

    @Test
    void a_run_that_is_stopped_waits_no_longer() {
        try (TestCluster cluster = TestCluster.start(18, Map.of());
                DatabaseOrchestrator clusters = cluster.orchestrator()) {
            ManagedNode node = clusters.cluster(TestCluster.NAME)
                    .node(new NodeAddress("127.0.0.1", cluster.postgres().port()));
            RememberedRun second = run();
            try (HeavyWork.Place taken = node.heavyWork(run())) {
                CompletableFuture<HeavyWork.Place> waiting =
                        CompletableFuture.supplyAsync(() -> node.heavyWork(second));
                second.cancellation().cancel("stopped by anna");

                assertThatThrownBy(waiting::join).hasMessageContaining("stopped by anna");
                assertThat(taken).isNotNull();
            }
        }
    }

    @Test
    void a_cluster_has_as_many_places_as_its_heavy_runs_say() {
        try (TestPostgres control = ControlDatabase.start();
                DatabaseOrchestrator clusters = clusters(new ControlDatabase(control), 2)) {
            ManagedNode node = clusters.cluster(TestCluster.NAME).node(NOBODY);
            HeavyWork.Place first = node.heavyWork(run());
            HeavyWork.Place second = node.heavyWork(run());
            RememberedRun third = run();

            CompletableFuture<HeavyWork.Place> waiting = CompletableFuture.supplyAsync(() -> node.heavyWork(third));
            await().until(() -> third.progress().snapshot().step().startsWith("wait for a run of test-node"));
            first.close();
            waiting.join().close();
            second.close();

            assertThat(ControlDatabase.leases(control)).isZero();
        }
    }

    @Test
    void a_place_is_given_back_and_waited_for_while_the_control_database_is_away() {
        try (TestPostgres control = ControlDatabase.start()) {
            ControlDatabase database = new ControlDatabase(control);
            try (DatabaseOrchestrator clusters = clusters(database, 1)) {
                ManagedNode node = clusters.cluster(TestCluster.NAME).node(NOBODY);
                RememberedRun second = run();
                HeavyWork.Place place = node.heavyWork(run());
                CompletableFuture<HeavyWork.Place> waiting =
                        CompletableFuture.supplyAsync(() -> node.heavyWork(second));
                await().until(() -> second.progress().snapshot().step().startsWith("wait for "));

                database.away = true;
                await().until(() -> database.refused.get() > 1);
                place.close();
                database.away = false;
                HeavyWork.Place taken = waiting.join();
                database.away = true;
                taken.close();
                database.away = false;

                await().until(() -> ControlDatabase.leases(control) == 0);
            }
        }
    }

    private static final NodeAddress NOBODY = new NodeAddress("127.0.0.1", 1);

    private static DatabaseOrchestrator clusters(ControlDatabase control, int heavyRuns) {
        var config = new ClusterConfig(
                TestCluster.NAME,
                List.of(NOBODY),
                "postgres",
                null,
                SslMode.DISABLE,
                null,
                null,
                null,
                false,
                "postgres",
                DatabaseSelection.ALL,
                Map.of("local", StorageDuty.REQUIRED),
                heavyRuns,
                Map.of());
        return new DatabaseOrchestrator(
                Map.of(TestCluster.NAME, config),
                Passwords.of(Map.of("HOME", "")),
                new Shared(HeavyWork.leased(new Leases(control), owner -> false), CounterReadings.ofThisProcess()),
                Clock.systemUTC());
    }

    /** One that can be away for who uses it. */
    private static final class ControlDatabase extends PGSimpleDataSource {

        private final transient TestPostgres postgres;
        private final AtomicInteger refused = new AtomicInteger();
        private volatile boolean away;

        ControlDatabase(TestPostgres postgres) {
            this.postgres = postgres;
        }

        static TestPostgres start() {
            TestPostgres postgres = TestPostgres.start(18);
            postgres.execute(
                    "postgres",
                    "CREATE SEQUENCE lease_token",
                    "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, token bigint NOT NULL,"
                            + " taken_at timestamptz NOT NULL DEFAULT clock_timestamp())");
            return postgres;
        }

        static int leases(TestPostgres postgres) {
            return (int) postgres.number("SELECT count(*) FROM lease");
        }

        @Override
        public Connection getConnection() throws SQLException {
            if (away) {
                refused.incrementAndGet();
                throw new SQLException("away", "08001");
            }
            return postgres.connect("postgres");
        }
    }
}
