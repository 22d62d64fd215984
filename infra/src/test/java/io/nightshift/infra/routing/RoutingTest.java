package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.ReplicatedCluster;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Routed work on a primary with two streaming standbys, while nodes freeze, lag, die and are promoted. */
class RoutingTest {

    private static final int NEWEST = 18;
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Intent READS = new Intent.StandbyPreferred(DataSize.ofMegabytes(64));
    private static final Intent NEAR = new Intent.Standby(DataSize.ofMegabytes(1));

    /** Used by one test after the other for as long as none has changed who is who. */
    private static ReplicatedCluster cluster;

    private final JumpingClock clock = new JumpingClock();
    private ClusterConnections connections;

    @BeforeEach
    void start() {
        if (cluster == null) {
            cluster = ReplicatedCluster.start(NEWEST);
        }
        cluster.primary().execute("postgres", "DROP TABLE IF EXISTS note", "CREATE TABLE note (id bigint, text text)");
        connections = connections("chanuka", cluster.nodes());
    }

    @AfterEach
    void close() {
        connections.close();
    }

    @AfterAll
    static void stop() {
        throwAway();
    }

    private static void throwAway() {
        if (cluster != null) {
            cluster.close();
            cluster = null;
        }
    }

    private ClusterConnections connections(String name, List<TestPostgres> nodes) {
        return new ClusterConnections(
                new ClusterConfig(
                        name,
                        nodes.stream().map(RoutingTest::address).toList(),
                        "postgres",
                        new Secret(nodes.get(0).password()),
                        SslMode.DISABLE,
                        null,
                        null,
                        null,
                        false,
                        "postgres",
                        DatabaseSelection.ALL,
                        Map.of("local", StorageDuty.REQUIRED),
                        1,
                        Map.of()),
                Passwords.of(Map.of()),
                clock);
    }

    /** The present time, and what it was moved on by. */
    private static final class JumpingClock extends Clock {

        private volatile Duration ahead = Duration.ZERO;

        @Override
        public Instant instant() {
            return Clock.systemUTC().instant().plus(ahead);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException();
        }
    }

    private static NodeAddress address(TestPostgres node) {
        return new NodeAddress("127.0.0.1", node.port());
    }

    private static int port(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT inet_server_port()")) {
            row.next();
            return row.getInt(1);
        }
    }

    private int read(Intent intent) {
        return connections.pools().read(intent, "postgres", "test", RoutingTest::port);
    }

    private void write(long id) {
        connections.pools().write("postgres", "test", connection -> {
            try (Statement statement = connection.createStatement()) {
                return statement.executeUpdate("INSERT INTO note VALUES (" + id + ", 'x')");
            }
        });
    }

    @Test
    void reads_and_writes_go_on_through_promotions() throws Exception {
        int promotions = Effort.of(1, 50);
        long wanted = Effort.of(2_000, 100_000);
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong reads = new AtomicLong();
        AtomicLong slowest = new AtomicLong();
        AtomicLong longestGap = new AtomicLong();
        var unwritten = new ConcurrentLinkedQueue<NightshiftException>();
        var failures = new ConcurrentLinkedQueue<NightshiftException>();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<?>> working = new ArrayList<>();
        for (int reader = 0; reader < 3; reader++) {
            working.add(threads.submit(() -> {
                while (!over.get()) {
                    long begun = System.nanoTime();
                    try {
                        read(READS);
                    } catch (NightshiftException e) {
                        failures.add(e);
                    }
                    reads.incrementAndGet();
                    slowest.accumulateAndGet(System.nanoTime() - begun, Math::max);
                }
            }));
        }
        AtomicLong written = new AtomicLong();
        working.add(threads.submit(() -> {
            long last = System.nanoTime();
            for (long id = 1; !over.get(); id++) {
                try {
                    write(id);
                    longestGap.accumulateAndGet(System.nanoTime() - last, Math::max);
                    last = System.nanoTime();
                    written.incrementAndGet();
                } catch (NightshiftException e) {
                    unwritten.add(e);
                }
            }
        }));

        for (int promotion = 0; promotion < promotions; promotion++) {
            long before = reads.get();
            await().atMost(LIMIT).until(() -> reads.get() > before + 200);
            TestPostgres lost = cluster.failOver();
            long then = written.get();
            await().atMost(LIMIT).until(() -> written.get() > then);
            cluster.rebuild(lost);
        }
        await().atMost(Duration.ofMinutes(10)).until(() -> reads.get() >= wanted);
        over.set(true);
        for (Future<?> each : working) {
            each.get(1, TimeUnit.MINUTES);
        }
        threads.shutdown();

        System.out.printf(
                "FIGURE %d promotions, %d reads, %d failed (goal: 99.99 %% succeed), slowest %d ms; %d writes, %d failed, longest without one %d ms (goal: 10 s)%n",
                promotions,
                reads.get(),
                failures.size(),
                TimeUnit.NANOSECONDS.toMillis(slowest.get()),
                written.get(),
                unwritten.size(),
                TimeUnit.NANOSECONDS.toMillis(longestGap.get()));
        assertThat(failures.size()).as(failures.toString()).isLessThanOrEqualTo((int) (reads.get() / 10_000));
        assertThat(unwritten).allSatisfy(e -> assertThat(e).hasMessageContaining("lost while committing"));
        assertThat(cluster.primary().port()).isEqualTo(read(Intent.PRIMARY));
    }

    @Test
    void an_old_primary_that_comes_back_writable_is_never_written_to() {
        write(1);
        TestPostgres old = cluster.failOver();
        write(2);
        letTheStandbyKnowItsTimeline(old);
        old.restart();
        await().atMost(LIMIT)
                .until(() -> connections.monitor().observeNow().conflict().isPresent());

        assertThatThrownBy(() -> write(3))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.REFUSED))
                .hasMessageContaining("has 2 nodes that claim to be its primary");
        cluster.primary().stop();
        await().atMost(LIMIT)
                .until(() -> connections.monitor().observeNow().answered().stream()
                        .noneMatch(node -> node.node().equals(address(cluster.primary()))));
        assertThatThrownBy(() -> write(4)).hasMessageContaining("but timeline 2 was seen before");
        assertThatThrownBy(() -> connections.node(Intent.PRIMARY))
                .hasMessageContaining("but timeline 2 was seen before");
        try (ClusterConnections fresh = connections("fresh", cluster.nodes())) {
            assertThatThrownBy(() -> fresh.node(Intent.PRIMARY)).hasMessageContaining("but timeline 2 was seen before");
        }
        old.stop();
        clock.ahead = ClusterMemory.FORGOTTEN;
        cluster.primary().restart();
        await().atMost(LIMIT).ignoreExceptions().untilAsserted(() -> write(5));
        assertThat(cluster.primary().number("SELECT sum(id) FROM note")).isEqualTo(1 + 2 + 5);
        old.restart();
        assertThat(old.number("SELECT sum(id) FROM note")).isEqualTo(1);
        throwAway();
    }

    /** A standby without its primary knows its timeline from its last restart point. */
    private static void letTheStandbyKnowItsTimeline(TestPostgres old) {
        cluster.primary().execute("postgres", "CHECKPOINT");
        TestPostgres standby = cluster.standbys().stream()
                .filter(node -> node != old)
                .findFirst()
                .orElseThrow();
        long reached = cluster.primary().number("SELECT pg_current_wal_flush_lsn() - '0/0'");
        await().atMost(LIMIT).until(() -> standby.number("SELECT pg_last_wal_replay_lsn() - '0/0'") >= reached);
        standby.execute("postgres", "CHECKPOINT");
    }

    @Test
    void a_standby_that_lags_or_is_cut_off_gets_no_work_and_shows_as_lagging() {
        TestPostgres paused = cluster.standbys().get(0);
        TestPostgres cut = cluster.standbys().get(1);
        paused.execute("postgres", "SELECT pg_wal_replay_pause()");
        cluster.primary()
                .execute(
                        "postgres",
                        "SELECT pg_logical_emit_message(false, 'test', repeat('x', 3 << 20))",
                        "CHECKPOINT");
        await().atMost(LIMIT).until(() -> lag(cut) == 0 && lag(paused) > 3 << 20);
        Set<Integer> seen = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 50; i++) {
            seen.add(read(NEAR));
        }

        cluster.cutOff(cut);
        cluster.primary()
                .execute(
                        "postgres",
                        "SELECT pg_logical_emit_message(false, 'test', repeat('x', 2 << 20))",
                        "CHECKPOINT");

        assertThat(seen).containsExactly(cut.port());
        await().atMost(LIMIT).until(() -> lag(cut) > 2 << 20);
        assertThatThrownBy(() -> connections.node(NEAR))
                .hasMessageContaining(address(cut) + " is a standby at ")
                .hasMessageContaining("without a running WAL receiver");
        assertThat(read(READS))
                .isIn(cluster.nodes().stream().map(TestPostgres::port).toList());
        throwAway();
    }

    private long lag(TestPostgres standby) {
        ObservedCluster now = connections.monitor().observeNow();
        return now.standbys().stream()
                .filter(node -> node.node().equals(address(standby)))
                .flatMap(node -> now.lag(node).stream())
                .mapToLong(DataSize::bytes)
                .findFirst()
                .orElse(-1);
    }

    @Test
    void a_frozen_node_holds_up_neither_reads_nor_another_cluster() {
        TestPostgres frozen = cluster.standbys().get(0);
        for (int i = 0; i < 20; i++) {
            read(READS);
        }
        try (ClusterConnections other = connections("other", List.of(cluster.primary()))) {
            frozen.freeze();
            long slowest = 0;
            for (int i = 0; i < 30; i++) {
                long begun = System.nanoTime();
                int port = read(READS);
                slowest = Math.max(slowest, System.nanoTime() - begun);
                assertThat(port).isNotEqualTo(frozen.port());
            }
            long begun = System.nanoTime();
            other.node(Intent.PRIMARY);
            System.out.printf(
                    "FIGURE frozen standby: slowest of 30 reads %d ms (limit: 10 s), another cluster answers after %d ms%n",
                    TimeUnit.NANOSECONDS.toMillis(slowest), TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));

            assertThat(connections.monitor().observed().unreachable())
                    .singleElement()
                    .satisfies(node -> assertThat(node.node()).isEqualTo(address(frozen)));
        } finally {
            frozen.thaw();
        }
        await().atMost(LIMIT)
                .until(() -> connections.monitor().observed().standbys().size() == 2);
    }

    @Test
    void says_when_nobody_can_know_whether_a_transaction_was_committed() {
        assertThatThrownBy(() -> connections.pools().write("postgres", "test", connection -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.executeUpdate("INSERT INTO note VALUES (1, 'x')");
                    }
                    cluster.primary().freeze();
                    cutLater();
                    return 0;
                }))
                .hasMessageContaining("lost while committing: whether the transaction was committed is not known");
        throwAway();
    }

    /** The server never answers the COMMIT: it is killed while it is frozen. */
    private void cutLater() {
        Thread killer = new Thread(() -> cluster.primary().kill(), "killer");
        killer.setDaemon(true);
        killer.start();
    }

    @Test
    void what_fails_in_the_work_itself_is_told_at_once_and_changes_nothing() {
        List<Integer> tries = new ArrayList<>();

        assertThatThrownBy(() -> connections.pools().write("postgres", "test", connection -> {
                    tries.add(1);
                    try (Statement statement = connection.createStatement()) {
                        statement.executeUpdate("INSERT INTO note VALUES (7, 'x')");
                        return statement.executeUpdate("INSERT INTO nowhere VALUES (1)");
                    }
                }))
                .hasMessageContaining("nowhere");
        assertThatThrownBy(() -> connections.pools().read(Intent.PRIMARY, "postgres", "test", connection -> {
                    try (Statement statement = connection.createStatement()) {
                        return statement.executeUpdate("INSERT INTO note VALUES (8, 'x')");
                    }
                }))
                .hasMessageContaining("read-only transaction");

        assertThat(tries).hasSize(1);
        assertThat(cluster.primary().number("SELECT count(*) FROM note")).isZero();
    }

    @Test
    void pooled_sessions_are_few_named_and_gone_when_closed() {
        String named = connections.pools().read(Intent.PRIMARY, "postgres", "run 17 checkIndexes", connection -> {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SHOW application_name")) {
                row.next();
                return row.getString(1);
            }
        });
        long during = sessions();

        connections.close();

        assertThat(named).isEqualTo("nightshift run 17 checkIndexes");
        assertThat(during).isBetween(1L, 6L);
        await().atMost(LIMIT).until(() -> sessions() == 0);
    }

    private long sessions() {
        return cluster.primary()
                .number("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'nightshift %'"
                        + " AND backend_type = 'client backend'");
    }
}
