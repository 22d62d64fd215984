package io.nightshift.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.jobs.backup.FullBackupJobType;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

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
}
