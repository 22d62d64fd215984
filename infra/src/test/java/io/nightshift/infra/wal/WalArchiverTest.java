package io.nightshift.infra.wal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.replication.WalStreamEnd;
import io.nightshift.infra.replication.WalStreamStart;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Servers;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A server's WAL on its way into two storages. */
class WalArchiverTest {

    private static final int SEGMENT = 16 << 20;
    private static final Timeline FIRST = new Timeline(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Servers SERVERS = new Servers(Map.of());

    @TempDir
    private Path temporary;

    private FaultyStorage near;
    private FaultyStorage far;
    private Path spool;

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    @BeforeEach
    void makeStorages() throws IOException {
        near = storage("near");
        far = storage("far");
        spool = Files.createDirectory(temporary.resolve("spool"));
    }

    private FaultyStorage storage(String name) {
        DirectoryStorage storage = new DirectoryStorage(name, temporary.resolve(name));
        storage.prepare();
        return new FaultyStorage(storage);
    }

    /** One stream into the archive, on a thread of its own. */
    private final class Archiving implements AutoCloseable {

        final ReplicationConnection connection;
        final WalArchive archive;
        final WalArchiver archiver;
        final AtomicBoolean goesOn = new AtomicBoolean(true);
        final CompletableFuture<WalStreamEnd> end = new CompletableFuture<>();

        Archiving(TestPostgres postgres, String slot, Lsn start) {
            connection = connect(postgres);
            archive = new WalArchive(
                    StorageSet.of(near, far),
                    new BackupPaths("chanuka", 18, connection.identifySystem().systemIdentifier()),
                    SEGMENT);
            archiver = new WalArchiver(archive, spool, FIRST, start, Duration.ofHours(1), goesOn::get);
            Thread thread = new Thread(
                    () -> {
                        try {
                            end.complete(connection.streamWal(
                                    new WalStreamStart(slot, start, FIRST, PATIENCE), archiver, Clock.systemUTC()));
                        } catch (RuntimeException e) {
                            end.completeExceptionally(e);
                        }
                    },
                    "wal-stream");
            thread.setDaemon(true);
            thread.start();
        }

        void awaitDurable(Lsn location) {
            await().atMost(PATIENCE).until(() -> !archiver.durable().isBefore(location));
        }

        WalStreamEnd ended() throws Exception {
            return end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        @Override
        public void close() {
            archiver.close();
            connection.close();
        }
    }

    private static ReplicationConnection connect(TestPostgres postgres) {
        Properties properties = new Properties();
        properties.setProperty("user", postgres.username());
        properties.setProperty("password", postgres.password());
        return ReplicationConnection.open(postgres.url("postgres"), properties, "archive");
    }

    private static Lsn beginOfPresentSegment(TestPostgres postgres) throws Exception {
        return WalSegment.at(FIRST, flushed(postgres), SEGMENT).start();
    }

    private static Lsn flushed(TestPostgres postgres) throws Exception {
        return Lsn.parse(postgres.text("SELECT pg_current_wal_flush_lsn()"));
    }

    private static void write(TestPostgres postgres, int rows) {
        postgres.execute(
                "postgres",
                "CREATE TABLE IF NOT EXISTS filler (i int, t text)",
                "INSERT INTO filler SELECT i, repeat('x', 500) FROM generate_series(1, " + rows + ") i");
    }

    /** Every segment and partial of both storages holds what the server wrote. */
    private static void assertHoldsWhatTheServerWrote(TestPostgres postgres, WalArchive archive) throws IOException {
        for (WalRange range : archive.coverage().ranges()) {
            for (WalSegment segment = WalSegment.at(FIRST, range.start(), SEGMENT);
                    segment.end().compareTo(range.end()) <= 0;
                    segment = segment.next()) {
                try (InputStream stored =
                        archive.open(new WalObject.Segment(segment)).orElseThrow()) {
                    assertThat(stored.readAllBytes())
                            .isEqualTo(Files.readAllBytes(
                                    postgres.dataDirectory().resolve("pg_wal").resolve(segment.name())));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void stores_whole_segments_and_goes_on_where_it_was_stopped(int major) throws Exception {
        var postgres = SERVERS.of(major);
        Lsn begin = beginOfPresentSegment(postgres);
        try (var first = new Archiving(postgres, null, begin)) {
            write(postgres, 60_000);
            first.awaitDurable(begin.plus(2L * SEGMENT));
            first.goesOn.set(false);
            assertThat(first.ended()).isEqualTo(new WalStreamEnd.Stopped());
        }
        Lsn reached;
        try (var connection = connect(postgres)) {
            var archive = new WalArchive(
                    StorageSet.of(near, far),
                    new BackupPaths("chanuka", 18, connection.identifySystem().systemIdentifier()),
                    SEGMENT);
            reached = archive.coverage().end(FIRST).orElseThrow();
        }

        try (var second = new Archiving(postgres, null, reached)) {
            write(postgres, 40_000);
            second.awaitDurable(reached.plus(SEGMENT));
            Lsn written = flushed(postgres);
            await().atMost(PATIENCE).until(() -> {
                second.archiver.storePartial();
                return !second.archiver.durable().isBefore(written);
            });

            assertThat(second.archive.coverage().gaps()).isEmpty();
            assertThat(second.archive.coverage().ranges()).singleElement().satisfies(range -> {
                assertThat(range.start()).isEqualTo(begin);
                assertThat(range.end()).isGreaterThanOrEqualTo(reached.plus(SEGMENT));
            });
            assertHoldsWhatTheServerWrote(postgres, second.archive);
        }
        try (Stream<Path> left = Files.list(spool)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void keeps_everything_of_a_server_that_shuts_down() throws Exception {
        try (var postgres = TestPostgres.start(18)) {
            Lsn begin = beginOfPresentSegment(postgres);
            try (var archiving = new Archiving(postgres, null, begin)) {
                write(postgres, 1_000);

                postgres.stop();

                assertThat(archiving.ended()).isEqualTo(new WalStreamEnd.ServerStopped());
                Lsn end = archiving.archive.coverage().end(FIRST).orElseThrow();
                postgres.restart();
                // The checkpoint of the shutdown is the last thing that was written.
                assertThat(lastCheckpoint(postgres)).isLessThan(end);
            }
        }
    }

    private static Lsn lastCheckpoint(TestPostgres postgres) throws Exception {
        return Lsn.parse(postgres.text("SELECT checkpoint_lsn FROM pg_control_checkpoint()"));
    }

    @Test
    void acknowledges_nothing_that_one_of_its_storages_lacks() throws Exception {
        var postgres = SERVERS.of(18);
        try (var connection = connect(postgres)) {
            connection.createPhysicalSlot("archiving", false, true);
            Lsn begin = beginOfPresentSegment(postgres);
            far.failFrom(FaultyStorage.Call.COMMIT, 2, FailureKind.STORAGE_UNAVAILABLE);
            try (var failing = new Archiving(postgres, "archiving", begin)) {
                write(postgres, 60_000);
                assertThatThrownBy(failing::ended)
                        .isInstanceOf(ExecutionException.class)
                        .hasMessageContaining("injected failure of COMMIT");
                Lsn kept = connection.readSlot("archiving").orElseThrow().restartLsn();
                Lsn everywhere = failing.archive.coverage().end(FIRST).orElse(begin);
                assertThat(kept).isLessThanOrEqualTo(everywhere);
            }
            far.repair();

            Lsn restart = connection.readSlot("archiving").orElseThrow().restartLsn();
            try (var again = new Archiving(
                    postgres,
                    "archiving",
                    WalSegment.at(FIRST, restart, SEGMENT).start())) {
                Lsn end = flushed(postgres);
                again.awaitDurable(WalSegment.at(FIRST, end, SEGMENT).start());

                assertThat(again.archive.coverage().gaps()).isEmpty();
                assertThat(again.archive.coverage().ranges().get(0).start()).isEqualTo(begin);
                assertHoldsWhatTheServerWrote(postgres, again.archive);
                again.goesOn.set(false);
                again.ended();
            }
            connection.dropSlot("archiving");
        }
    }

    @Test
    void takes_the_same_bytes_twice_and_refuses_others_under_the_same_name() {
        var archive = new WalArchive(
                StorageSet.of(near, far), new BackupPaths("chanuka", 18, new SystemIdentifier(7)), SEGMENT);
        var history = new WalObject.History(new Timeline(2));
        archive.store(history, () -> new ByteArrayInputStream("1\t0/3000000\n".getBytes(UTF_8)));

        archive.store(history, () -> new ByteArrayInputStream("1\t0/3000000\n".getBytes(UTF_8)));

        assertThatThrownBy(
                        () -> archive.store(history, () -> new ByteArrayInputStream("1\t0/4000000\n".getBytes(UTF_8))))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.REFUSED))
                .hasMessageStartingWith("storage near has other bytes for WAL 00000002.history");
        assertThat(archive.coverage().histories()).isEqualTo(List.of(new Timeline(2)));
    }

    @Test
    void completes_what_a_crash_left_in_one_storage_only() {
        var paths = new BackupPaths("chanuka", 18, new SystemIdentifier(7));
        var history = new WalObject.History(new Timeline(2));
        new WalArchive(StorageSet.of(near), paths, SEGMENT)
                .store(history, () -> new ByteArrayInputStream("one".getBytes(UTF_8)));
        var both = new WalArchive(StorageSet.of(near, far), paths, SEGMENT);
        var before = both.coverage();

        both.store(history, () -> new ByteArrayInputStream("one".getBytes(UTF_8)));

        assertThat(before.histories()).isEmpty();
        assertThat(both.coverage().histories()).containsExactly(new Timeline(2));
    }
}
