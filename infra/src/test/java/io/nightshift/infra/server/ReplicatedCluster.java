package io.nightshift.infra.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/** A primary with two streaming standbys, each at a port that stays; any of them can become the primary. */
public final class ReplicatedCluster implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final List<TestPostgres> nodes = new ArrayList<>();
    private TestPostgres primary;

    private ReplicatedCluster() {}

    /** All three are copies of one fixture, so they are one cluster. */
    public static ReplicatedCluster start(int major) {
        ReplicatedCluster cluster = new ReplicatedCluster();
        for (int node = 0; node < 3; node++) {
            Map<String, String> settings = new HashMap<>(Map.of(
                    "max_connections", "100",
                    "wal_keep_size", "256MB",
                    "hot_standby_feedback", "on",
                    "port", Integer.toString(LoopbackPort.free())));
            cluster.nodes.add(TestPostgres.prepare(major, settings));
        }
        cluster.primary = cluster.nodes.get(0);
        cluster.primary.restart();
        cluster.standbys().forEach(cluster::follow);
        cluster.awaitStreaming();
        return cluster;
    }

    public TestPostgres primary() {
        return primary;
    }

    public List<TestPostgres> standbys() {
        return nodes.stream().filter(node -> node != primary).toList();
    }

    public List<TestPostgres> nodes() {
        return List.copyOf(nodes);
    }

    /** Kills the primary and promotes the standby that has most of its WAL; the other one follows it. */
    public TestPostgres failOver() {
        TestPostgres old = primary;
        List<TestPostgres> left = standbys();
        old.kill();
        TestPostgres next = left.stream()
                .max(Comparator.comparing(node -> node.number("SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn")))
                .orElseThrow();
        next.execute("postgres", "SELECT pg_promote(true, 60)");
        primary = next;
        left.stream().filter(node -> node != next).forEach(this::follow);
        return old;
    }

    /** Makes a node that is down a standby of the present primary, from a copy of the other standby. */
    public void rebuild(TestPostgres lost) {
        TestPostgres source =
                standbys().stream().filter(node -> node != lost).findFirst().orElseThrow();
        settle(source);
        source.stop();
        lost.stop();
        try {
            FileTree.delete(lost.dataDirectory());
            Command.Outcome copied = Command.run(
                    List.of(
                            "cp",
                            "-a",
                            source.dataDirectory().toString(),
                            lost.dataDirectory().toString()),
                    LIMIT);
            if (!copied.succeeded()) {
                throw new IllegalStateException(copied.output());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        follow(source);
        follow(lost);
        awaitStreaming();
    }

    /** Cuts a standby off: it goes on answering, and gets no WAL any more. */
    public void cutOff(TestPostgres standby) {
        standby.restart(Map.of("primary_conninfo", "host=127.0.0.1 port=1 user=postgres"));
    }

    public void follow(TestPostgres standby) {
        try {
            Path signal = standby.dataDirectory().resolve("standby.signal");
            if (!Files.exists(signal)) {
                Files.createFile(signal);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        standby.restart(Map.of(
                "primary_conninfo",
                "host=127.0.0.1 port=" + primary.port() + " user=" + primary.username() + " password="
                        + primary.password()));
    }

    /**
     * Lets a standby begin its next recovery on the present timeline. PostgreSQL prefers a segment of the newest timeline
     * even where only its beginning has arrived, and gives up when older timelines have more of it.
     */
    private void settle(TestPostgres standby) {
        primary.execute("postgres", "CHECKPOINT");
        long reached = primary.number("SELECT pg_current_wal_flush_lsn() - '0/0'");
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> standby.number("SELECT pg_last_wal_replay_lsn() - '0/0'") >= reached);
        standby.execute("postgres", "CHECKPOINT");
    }

    public void awaitStreaming() {
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> primary.number("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                        >= standbys().size());
    }

    @Override
    public void close() {
        nodes.forEach(TestPostgres::close);
    }
}
