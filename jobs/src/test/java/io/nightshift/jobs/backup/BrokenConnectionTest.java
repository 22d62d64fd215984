package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.WireRelay;
import io.nightshift.infra.server.WireRelay.Act;
import io.nightshift.infra.server.WireRelay.Fault;
import io.nightshift.infra.server.WireRelay.Place;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A network that breaks at each message of a base backup: the run says so, the storage holds nothing of it, the server is
 * free again, and the next run succeeds. Only the streaming step goes through the network that breaks.
 */
class BrokenConnectionTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings QUICK = RecordBinder.fromMap(
            BackupSettings.class, Map.of("compression", "zstd:1", "compression-threads", 1, "checkpoint", "fast"));

    private static TestCluster server;
    private TestCluster cluster;
    private WireRelay network;

    @BeforeAll
    static void start() {
        server = TestCluster.start(18, Map.of());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void prepare() {
        cluster = server.withStorages("local");
        network = new WireRelay(server.postgres().port());
    }

    @AfterEach
    void close() {
        network.close();
        cluster.close();
    }

    @Test
    void a_connection_cut_at_any_message_fails_cleanly_and_the_next_run_succeeds() {
        List<String> messages = messagesOfAGoodBackup();
        assertThat(messages).contains("R", "S", "K", "Z", "T", "D", "C", "H", "d/n", "d/d", "d/p", "d/m", "c");

        for (Fault fault : cuts(messages)) {
            NightshiftException failure = broken(fault);

            assertThat(failure.kind()).as("%s: %s", fault, failure).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            assertThat(failure.explained())
                    .as("%s", fault)
                    .matches("(?s)(replication connection to|identify system at|create replication slot \\S+ at|"
                            + "base backup from) 127\\.0\\.0\\.1:" + network.port() + ": .+\nHINT: .+");
            requireNothingLeft(fault);
        }
        JobRun.of(TYPE, cluster, QUICK).attempt().completed();
        assertThat(cluster.backups()).hasSize(1);
    }

    @Test
    void a_connection_that_falls_silent_ends_with_the_time_limit_of_the_run() {
        List<String> messages = messagesOfAGoodBackup();

        for (Fault fault : silences(messages)) {
            RememberedRun run = run();
            network.breakAt(fault);
            CompletableFuture<NightshiftException> failing = CompletableFuture.supplyAsync(() -> failure(run));
            network.awaitBroken();
            run.cancellation().cancel("time limit of 1h passed");

            assertThat(failing.join())
                    .as("%s", fault)
                    .hasMessage("time limit of 1h passed")
                    .extracting(NightshiftException::kind)
                    .isEqualTo(FailureKind.CANCELLED);
            requireNothingLeft(fault);
        }
    }

    @ParameterizedTest
    @MethodSource("answersOfTheCheck")
    void a_session_that_falls_silent_at_the_checks_ends_with_the_time_limit_of_the_run(int answer) {
        // The first session looks for the node, the second asks.
        network.breakAt(new Fault(2, "T", answer, Place.BEFORE, Act.FREEZE));
        JobRun run = JobRun.of(TYPE, cluster.through(network.port()), QUICK);

        CompletableFuture<JobRun.Outcome> attempt = run.begin();
        network.awaitBroken();
        run.cancel("time limit of 1h passed");

        assertThat(attempt.join().failed()).hasMessage("time limit of 1h passed");
        cluster.awaitNoTraces();
    }

    /** The first tells how the session came to the server; it is waited for ten seconds, whatever stops the run. */
    private static List<Integer> answersOfTheCheck() {
        return Effort.number() < 20 ? List.of(2) : List.of(1, 2);
    }

    /** And the control: the network alone breaks nothing. */
    private List<String> messagesOfAGoodBackup() {
        network.breakAt(null);
        RememberedRun run = run();
        stream(run);
        List<String> messages = network.heard();
        assertThat(WrittenBackup.find(run)).isPresent();
        cluster.close();
        cluster = server.withStorages("local");
        return messages;
    }

    private NightshiftException broken(Fault fault) {
        network.breakAt(fault);
        NightshiftException failure = failure(run());
        assertThat(network.isBroken()).as("%s was reached", fault).isTrue();
        return failure;
    }

    private NightshiftException failure(RememberedRun run) {
        NightshiftException failure = catchThrowableOfType(NightshiftException.class, () -> stream(run));
        assertThat(WrittenBackup.find(run)).isEmpty();
        return failure;
    }

    private void stream(RememberedRun run) {
        try (DatabaseOrchestrator clusters = cluster.through(network.port()).orchestrator()) {
            new StreamBaseBackupTasklet(
                            run, clusters, cluster.clusterStorages(), cluster.workFolder(), Clock.systemUTC())
                    .execute(null, null);
        }
    }

    private static RememberedRun run() {
        return RememberedRun.first(TestCluster.NAME, QUICK, false);
    }

    private void requireNothingLeft(Fault fault) {
        assertThat(cluster.files()).as("%s", fault).isSubsetOf("local/installation.json");
        cluster.awaitNoTraces();
    }

    /** One break at each kind of message, and where few tests have looked; all of them at full effort. */
    private static List<Fault> cuts(List<String> messages) {
        List<Fault> chosen = new ArrayList<>();
        chosen.add(replication("Z", Collections.frequency(messages, "Z"), Place.BEFORE, Act.CUT));
        Random random = Seed.underTest().get(Seed.underTest().size() - 1).random();
        for (String kind : new LinkedHashSet<>(messages)) {
            List<Fault> all = new ArrayList<>();
            for (int nth : List.of(1, last(messages, kind))) {
                for (Place place : Place.values()) {
                    all.add(replication(kind, nth, place, Act.CUT));
                }
            }
            // After its last message the backup has arrived whole.
            all.remove(replication("Z", last(messages, "Z"), Place.AFTER, Act.CUT));
            Collections.shuffle(all, random);
            chosen.addAll(all.subList(0, Effort.of(1, all.size())));
        }
        return chosen;
    }

    /** In the checkpoint, where silence is right, and among the data; at full effort at each kind after logging in. */
    private static List<Fault> silences(List<String> messages) {
        List<Fault> all = new ArrayList<>(List.of(
                replication("T", 3, Place.BEFORE, Act.FREEZE),
                replication("d/d", last(messages, "d/d"), Place.HALF, Act.FREEZE)));
        List<String> afterLogin = messages.subList(messages.indexOf("Z") + 1, messages.size());
        for (String kind : new LinkedHashSet<>(afterLogin)) {
            all.add(replication(kind, last(messages, kind), Place.BEFORE, Act.FREEZE));
        }
        return all.subList(0, Effort.of(2, all.size()));
    }

    /** How many bytes of data come, and how often progress is told, changes from one backup to the next. */
    private static int last(List<String> messages, String kind) {
        int count = Collections.frequency(messages, kind);
        return switch (kind) {
            case "d/d" -> count * 3 / 4;
            case "d/p" -> 1;
            default -> count;
        };
    }

    private static Fault replication(String kind, int nth, Place place, Act act) {
        return new Fault(WireRelay.REPLICATION, kind, nth, place, act);
    }
}
