package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalStreamEnd.ServerStopped;
import io.nightshift.infra.replication.WalStreamEnd.Stopped;
import io.nightshift.infra.replication.WalStreamEnd.TimelineEnded;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Servers;
import io.nightshift.infra.server.TestPostgres;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** WAL as a server streams it. */
class WalStreamTest {

    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final String NEWEST_OR_ALL = "io.nightshift.infra.server.PostgresVersions#newestOrAll";
    private static final int SEGMENT = 16 << 20;
    private static final Timeline FIRST = new Timeline(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Servers SERVERS = new Servers(Map.of());

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    /** Keeps what arrives, by segment, and calls durable what a test says. */
    private static class Collector implements WalReceiver {

        final Map<Long, ByteArrayOutputStream> segments = new ConcurrentHashMap<>();
        volatile Lsn received = Lsn.INVALID;
        volatile Lsn durable = Lsn.INVALID;
        volatile boolean goesOn = true;
        volatile boolean wanted;

        @Override
        public void wal(Lsn start, byte[] buffer, int offset, int length) {
            int done = 0;
            while (done < length) {
                long position = start.position() + done;
                int part = (int) Math.min(length - done, SEGMENT - position % SEGMENT);
                segments.computeIfAbsent(position / SEGMENT, number -> new ByteArrayOutputStream())
                        .write(buffer, offset + done, part);
                done += part;
            }
            received = start.plus(length);
        }

        @Override
        public Lsn durable() {
            return durable;
        }

        @Override
        public void wordIsWanted() {
            wanted = true;
        }

        @Override
        public boolean goesOn() {
            return goesOn;
        }
    }

    /** What is stored the moment it arrives. */
    private static final class Durable extends Collector {
        @Override
        public Lsn durable() {
            return received;
        }
    }

    private static WalStreamStart from(String slot, Lsn location) {
        return new WalStreamStart(slot, location, FIRST, PATIENCE);
    }

    /** The beginning of the segment that the server writes now. */
    private static Lsn present(ReplicationConnection connection) {
        return WalSegment.at(FIRST, connection.identifySystem().flushLsn(), SEGMENT)
                .start();
    }

    private static Lsn flushed(TestPostgres postgres) throws Exception {
        return Lsn.parse(postgres.text("SELECT pg_current_wal_flush_lsn()"));
    }

    private static CompletableFuture<WalStreamEnd> stream(
            ReplicationConnection connection, WalStreamStart start, WalReceiver receiver) {
        CompletableFuture<WalStreamEnd> end = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        end.complete(connection.streamWal(start, receiver, Clock.systemUTC()));
                    } catch (RuntimeException e) {
                        end.completeExceptionally(e);
                    }
                },
                "wal-stream");
        thread.setDaemon(true);
        thread.start();
        return end;
    }

    private static <T> T end(CompletableFuture<T> stream) throws Exception {
        return stream.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void arrives_as_the_server_wrote_it(int major) throws Exception {
        var postgres = SERVERS.of(major);
        try (var connection = Connections.open(postgres, "exact")) {
            Lsn start = present(connection);
            var received = new Collector();
            var stream = stream(connection, from(null, start), received);
            postgres.execute(
                    "postgres", "CREATE TABLE exact AS SELECT i, repeat('x', 500) FROM generate_series(1, 60000) i");
            Lsn end = flushed(postgres);

            await().atMost(PATIENCE).until(() -> !received.received.isBefore(end));
            received.goesOn = false;

            assertThat(end(stream)).isEqualTo(new Stopped());
            assertThat(connection.identifySystem().timeline()).isEqualTo(FIRST);
            assertThat(received.segments).hasSizeGreaterThan(2);
            received.segments.forEach((number, bytes) ->
                    assertThat(bytes.toByteArray()).isEqualTo(written(postgres, number, bytes.size())));
        }
    }

    private static byte[] written(TestPostgres postgres, long number, int size) {
        try {
            byte[] file = Files.readAllBytes(
                    postgres.dataDirectory().resolve("pg_wal").resolve(new WalSegment(FIRST, number, SEGMENT).name()));
            return Arrays.copyOf(file, size);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void moves_its_slot_only_over_what_is_durable(int major) throws Exception {
        var postgres = SERVERS.of(major);
        try (var control = Connections.open(postgres, "control");
                var connection = Connections.open(postgres, "slot")) {
            control.createPhysicalSlot("durable", false, true);
            Lsn start = present(connection);
            var received = new Collector();
            var stream = stream(connection, from("durable", start), received);
            postgres.execute(
                    "postgres", "CREATE TABLE IF NOT EXISTS kept AS SELECT i FROM generate_series(1, 20000) i");
            Lsn end = flushed(postgres);
            await().atMost(PATIENCE).until(() -> !received.received.isBefore(end));
            Lsn before = control.readSlot("durable").orElseThrow().restartLsn();

            received.durable = end;

            assertThat(before).isLessThan(end);
            await().atMost(PATIENCE)
                    .until(() ->
                            end.equals(control.readSlot("durable").orElseThrow().restartLsn()));
            received.goesOn = false;
            assertThat(end(stream)).isEqualTo(new Stopped());
            control.dropSlot("durable");
        }
    }

    @ParameterizedTest
    @MethodSource(NEWEST_OR_ALL)
    void lets_its_server_shut_down_at_once_if_it_stores_what_it_is_asked_for(int major) throws Exception {
        try (var postgres = TestPostgres.start(major);
                var connection = Connections.open(postgres, "shutdown")) {
            var received = new Collector() {
                @Override
                public void wordIsWanted() {
                    super.wordIsWanted();
                    durable = received;
                }
            };
            var stream = stream(connection, from(null, present(connection)), received);
            postgres.execute("postgres", "CREATE TABLE late AS SELECT i FROM generate_series(1, 1000) i");

            long asked = System.nanoTime();
            postgres.stop();
            System.out.printf(
                    "FIGURE PostgreSQL %d with a WAL receiver stopped after %d ms (goal: 10 s)%n",
                    major, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - asked));

            assertThat(end(stream)).isEqualTo(new ServerStopped());
            assertThat(received.wanted).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void ends_with_its_timeline_and_goes_on_with_the_next(int major) throws Exception {
        try (var postgres = promoted(major);
                var old = Connections.open(postgres, "old timeline");
                var next = Connections.open(postgres, "next timeline")) {
            var received = new Durable();

            var end = end(stream(old, from(null, new Lsn(SEGMENT)), received));
            var again = end(stream(old, from(null, received.received), new Durable()));

            assertThat(end).isInstanceOf(TimelineEnded.class);
            TimelineEnded switched = (TimelineEnded) end;
            assertThat(switched.next()).isEqualTo(new Timeline(2));
            assertThat(received.received).isEqualTo(switched.switchPoint());
            assertThat(again).isEqualTo(end);
            assertThat(old.timelineHistory(switched.next()).orElseThrow().fileName())
                    .isEqualTo("00000002.history");
            Lsn start = WalSegment.at(switched.next(), switched.switchPoint(), SEGMENT)
                    .start();
            var more = new Durable();
            var stream = stream(next, new WalStreamStart(null, start, switched.next(), PATIENCE), more);
            postgres.execute("postgres", "CREATE TABLE after_promotion (i int)");
            Lsn written = flushed(postgres);
            await().atMost(PATIENCE).until(() -> !more.received.isBefore(written));
            more.goesOn = false;
            assertThat(end(stream)).isEqualTo(new Stopped());
        }
    }

    /** A server on its second timeline. */
    private static TestPostgres promoted(int major) throws Exception {
        TestPostgres postgres = TestPostgres.prepare(major, Map.of("max_connections", "100"));
        Files.createFile(postgres.dataDirectory().resolve("standby.signal"));
        postgres.restart();
        postgres.execute("postgres", "SELECT pg_promote()");
        return postgres;
    }

    @ParameterizedTest
    @MethodSource(NEWEST_OR_ALL)
    void says_that_the_server_has_removed_the_wal_and_leaves_the_connection_usable(int major) throws Exception {
        var postgres = SERVERS.of(major);
        postgres.execute(
                "postgres",
                "SELECT pg_switch_wal()",
                "CREATE TABLE IF NOT EXISTS more (i int)",
                "SELECT pg_switch_wal()",
                "CHECKPOINT");
        await().atMost(PATIENCE).until(() -> {
            postgres.execute(
                    "postgres", "DROP TABLE more", "CREATE TABLE more (i int)", "SELECT pg_switch_wal()", "CHECKPOINT");
            return !Files.exists(postgres.dataDirectory().resolve("pg_wal/000000010000000000000001"));
        });
        try (var connection = Connections.open(postgres, "removed")) {
            var refused = catchThrowableOfType(
                    NightshiftException.class,
                    () -> connection.streamWal(from(null, new Lsn(SEGMENT)), new Collector(), Clock.systemUTC()));

            assertThat(refused)
                    .hasMessageStartingWith("WAL of timeline 1 from 0/1000000 on from ")
                    .hasMessageContaining("has already been removed");
            assertThat(refused.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
            assertThat(connection.identifySystem().timeline()).isEqualTo(FIRST);
        }
    }

    @Test
    void refuses_a_slot_that_is_not_there_and_one_that_somebody_uses() throws Exception {
        var postgres = SERVERS.of(18);
        try (var connection = Connections.open(postgres, "first");
                var other = Connections.open(postgres, "second")) {
            var missing = catchThrowableOfType(
                    NightshiftException.class,
                    () -> connection.streamWal(
                            from("nowhere", present(connection)), new Collector(), Clock.systemUTC()));
            connection.createPhysicalSlot("taken", false, true);
            var received = new Durable();
            var stream = stream(connection, from("taken", present(connection)), received);
            await().atMost(PATIENCE).until(() -> received.received.isValid());
            var taken = catchThrowableOfType(
                    NightshiftException.class,
                    () -> other.streamWal(from("taken", present(other)), new Collector(), Clock.systemUTC()));
            received.goesOn = false;
            end(stream);
            other.dropSlot("taken");

            assertThat(missing.hint()).contains("create the replication slot");
            assertThat(taken.kind()).isEqualTo(FailureKind.REFUSED);
        }
    }

    @Test
    void gives_a_server_up_that_is_silent_for_too_long() throws Exception {
        try (var postgres = TestPostgres.start(18);
                var connection = Connections.open(postgres, "frozen")) {
            var received = new Durable();
            var start = new WalStreamStart(null, present(connection), FIRST, Duration.ofSeconds(2));
            var stream = stream(connection, start, received);
            await().atMost(PATIENCE).until(() -> received.received.isValid());

            postgres.freeze();

            var silent = catchThrowableOfType(ExecutionException.class, () -> end(stream));
            assertThat(silent).hasMessageContaining("the server was silent for too long");
        }
    }

    @Test
    void asks_a_server_that_has_nothing_to_say_and_keeps_it() throws Exception {
        try (var postgres = TestPostgres.start(18, Map.of("wal_sender_timeout", "0", "autovacuum", "off"));
                var connection = Connections.open(postgres, "quiet")) {
            var received = new Durable();
            var start = new WalStreamStart(null, present(connection), FIRST, Duration.ofSeconds(2));
            var stream = stream(connection, start, received);
            await().atMost(PATIENCE).until(() -> received.received.isValid());
            long begun = System.nanoTime();
            await().atMost(PATIENCE)
                    .until(() -> stream.isDone() || System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(4));

            boolean given = stream.isDone();
            received.goesOn = false;

            assertThat(given).isFalse();
            assertThat(end(stream)).isEqualTo(new Stopped());
        }
    }

    @Test
    void is_cut_when_the_connection_is_cancelled() throws Exception {
        var postgres = SERVERS.of(18);
        try (var connection = Connections.open(postgres, "cancelled")) {
            var received = new Durable();
            var stream = stream(connection, from(null, present(connection)), received);
            await().atMost(PATIENCE).until(() -> received.received.isValid());

            connection.cancel("stopped by a test");

            var cut = catchThrowableOfType(ExecutionException.class, () -> end(stream));
            assertThat(cut.getCause())
                    .isInstanceOfSatisfying(
                            NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.CANCELLED));
            await().atMost(PATIENCE).until(() -> Connections.walsenders(postgres, "cancelled") == 0);
        }
    }
}
