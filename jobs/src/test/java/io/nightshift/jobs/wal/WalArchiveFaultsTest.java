package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.ArchiveTrial.PATIENCE;
import static io.nightshift.jobs.wal.ArchiveTrial.QUICK;
import static io.nightshift.jobs.wal.ArchiveTrial.SLOT;
import static io.nightshift.jobs.wal.ArchiveTrial.flushed;
import static io.nightshift.jobs.wal.ArchiveTrial.slot;
import static io.nightshift.jobs.wal.ArchiveTrial.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObjectWriter;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.jobs.TestCluster;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** What production notices while the storage of its archive is away, slow or full: nothing. */
class WalArchiveFaultsTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final Duration SHUTDOWN = Duration.ofSeconds(10);
    private static final WalArchiveSettings TIGHT =
            new WalArchiveSettings(Duration.ofSeconds(1), DataSize.ofMegabytes(48), WalArchiveSettings.OnLimit.DROP);
    private static final WalArchiveSettings HOLD =
            new WalArchiveSettings(Duration.ofSeconds(1), DataSize.ofMegabytes(96), WalArchiveSettings.OnLimit.HOLD);
    private static final long SLOW_BYTES_A_SECOND = 1 << 20;

    private final Map<String, FaultyStorage> storages = new ConcurrentHashMap<>();

    private Storage faulty(Storage storage) {
        return storages.computeIfAbsent(storage.name(), name -> new FaultyStorage(storage));
    }

    private void storageIs(FailureKind kind) {
        storages.get("local").failFrom(FaultyStorage.Call.COMMIT, 1, kind).failFrom(FaultyStorage.Call.LIST, 1, kind);
    }

    /** Asks for a fast shutdown, and says how long it took. */
    private static Duration shutDown(TestPostgres postgres) {
        long begun = System.nanoTime();
        postgres.signalPostmaster("INT");
        await().atMost(SHUTDOWN)
                .until(() -> !postgres.dataDirectory()
                        .resolve("postmaster.pid")
                        .toFile()
                        .exists());
        Duration took = Duration.ofNanos(System.nanoTime() - begun);
        System.out.println("fast shutdown took " + took.toMillis() + " ms");
        return took;
    }

    @Test
    void a_server_shuts_down_whether_the_storage_is_there_or_away_and_nothing_is_lost() throws Exception {
        try (var server = TestCluster.start(18, Map.of("wal_keep_size", "1GB"));
                var trial = new ArchiveTrial(server.behind(this::faulty), 18, QUICK).begin()) {
            TestPostgres postgres = server.postgres();
            write(postgres, 1);
            trial.awaitArchived(postgres, FIRST);
            postgres.execute("postgres", "INSERT INTO filler VALUES (1, 'just before the shutdown')");

            shutDown(postgres);
            postgres.restart();
            trial.awaitArchived(postgres, FIRST);
            storageIs(FailureKind.STORAGE_UNAVAILABLE);
            write(postgres, 1);
            shutDown(postgres);
            postgres.restart();
            write(postgres, 1);
            storages.get("local").repair();

            trial.awaitArchived(postgres, FIRST);
            trial.endDay();
            assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
            assertThat(trial.gaps(postgres)).isEmpty();
        }
    }

    @Test
    void a_server_shuts_down_while_the_storage_hangs() {
        var free = new CountDownLatch(1);
        try (var server = TestCluster.start(18, Map.of("wal_keep_size", "1GB"));
                var trial = new ArchiveTrial(server.behind(storage -> hanging(storage, free)), 18, QUICK).begin()) {
            TestPostgres postgres = server.postgres();
            await().atMost(PATIENCE).until(() -> slot(postgres).isPresent());
            write(postgres, 8);

            shutDown(postgres);
            postgres.restart();
            free.countDown();

            trial.awaitArchived(postgres, FIRST);
        } finally {
            free.countDown();
        }
    }

    /** Whose commits wait. */
    private static Storage hanging(Storage storage, CountDownLatch free) {
        return writing(storage, (method, arguments) -> {
            if (method.getName().equals("commit")) {
                free.await();
            }
            return null;
        });
    }

    /** Whose writes take their time. */
    private static Storage slow(Storage storage) {
        return writing(storage, (method, arguments) -> {
            int bytes = !method.getName().equals("write")
                    ? 0
                    : arguments.length == 3
                            ? (int) arguments[2]
                            : arguments[0] instanceof ByteBuffer buffer
                                    ? buffer.remaining()
                                    : ((byte[]) arguments[0]).length;
            LockSupport.parkNanos(bytes * 1_000_000_000L / SLOW_BYTES_A_SECOND);
            return null;
        });
    }

    /** To whose writers something happens before each call. */
    private static Storage writing(Storage storage, Call before) {
        return proxy(Storage.class, (method, arguments) -> {
            Object answer = call(storage, method, arguments);
            return answer instanceof StoredObjectWriter writer
                    ? proxy(StoredObjectWriter.class, (writing, bytes) -> {
                        before.of(writing, bytes);
                        return call(writer, writing, bytes);
                    })
                    : answer;
        });
    }

    @Test
    void stores_everything_in_a_storage_that_is_slower_than_the_server_writes() throws Exception {
        try (var server = TestCluster.start(18, Map.of("wal_keep_size", "1GB"));
                var trial = new ArchiveTrial(server.behind(WalArchiveFaultsTest::slow), 18, QUICK).begin()) {
            TestPostgres postgres = server.postgres();
            await().atMost(PATIENCE).until(() -> slot(postgres).isPresent());
            write(postgres, 8);
            Lsn stored = trial.archive(postgres).coverage().end(FIRST).orElse(Lsn.INVALID);
            assertThat(stored).isLessThan(flushed(postgres));

            trial.awaitArchived(postgres, FIRST);

            trial.endDay();
            assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
            assertThat(trial.run().report().findings()).isEmpty();
        }
    }

    /** Milliseconds of so many commits, sorted. */
    private static double[] commits(TestPostgres postgres, int count) throws SQLException {
        double[] took = new double[count];
        try (Connection connection = postgres.connect("postgres");
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < count; i++) {
                long begun = System.nanoTime();
                statement.execute("INSERT INTO filler VALUES (1, 'a commit')");
                took[i] = (System.nanoTime() - begun) / 1e6;
            }
        }
        Arrays.sort(took);
        return took;
    }

    private static void print(String when, double[] commits) {
        System.out.printf(
                "FIGURE commits, %s: p50 %.2f ms, p99 %.2f ms, slowest %.1f ms of %,d%n",
                when,
                commits[commits.length / 2],
                commits[commits.length * 99 / 100],
                commits[commits.length - 1],
                commits.length);
    }

    @Test
    void commits_do_not_wait_for_the_archive_nor_for_a_storage_that_hangs() throws Exception {
        int count = Effort.of(500, 5_000);
        var free = new CountDownLatch(1);
        try (var server = TestCluster.start(18, Map.of("fsync", "on"))) {
            TestPostgres postgres = server.postgres();
            write(postgres, 1);
            print("no archive", commits(postgres, count));
            try (var trial = new ArchiveTrial(server, 18, QUICK).begin()) {
                trial.awaitArchived(postgres, FIRST);
                print("archived", commits(postgres, count));
                trial.endDay();
            }
            try (var trial = new ArchiveTrial(server.behind(storage -> hanging(storage, free)), 18, QUICK).begin()) {
                await().atMost(PATIENCE)
                        .until(() -> "async".equals(postgres.text("SELECT max(sync_state) FROM pg_stat_replication")));
                write(postgres, 1);

                print("storage hangs", commits(postgres, count));

                assertThat(trial.archive(postgres).coverage().end(FIRST).orElseThrow())
                        .isLessThan(flushed(postgres));
                free.countDown();
            }
        } finally {
            free.countDown();
        }
    }

    @FunctionalInterface
    private interface Call {
        Object of(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> call.of(method, arguments)));
    }

    private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static Finding awaitRetained(ArchiveTrial trial, Severity severity) {
        return await().atMost(PATIENCE)
                .until(
                        () -> trial.run().report().findings().stream()
                                .filter(finding ->
                                        finding.key().startsWith("wal/retained/") && finding.severity() == severity)
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    @Test
    void warns_at_half_of_the_limit_and_with_hold_keeps_the_slot_beyond_all_of_it() throws Exception {
        try (var server = TestCluster.start(18, Map.of("max_wal_size", "32MB", "min_wal_size", "32MB"));
                var trial = new ArchiveTrial(server.behind(this::faulty), 18, HOLD).begin()) {
            TestPostgres postgres = server.postgres();
            write(postgres, 1);
            trial.awaitArchived(postgres, FIRST);
            storageIs(FailureKind.STORAGE_UNAVAILABLE);
            write(postgres, 1);
            assertThat(trial.run().report().findings()).isEmpty();

            write(postgres, 3);
            Finding half = awaitRetained(trial, Severity.WARNING);
            write(postgres, 4);
            Finding all = awaitRetained(trial, Severity.CRITICAL);
            postgres.execute("postgres", "CHECKPOINT");
            storages.get("local").repair();

            assertThat(half.detail()).matches("keeps \\S+ MB of WAL of at most 96MB for the archive");
            assertThat(half.remedy()).startsWith("see why the archive is behind");
            assertThat(all.detail()).endsWith(" for the archive, and on-limit is hold: its disk fills");
            assertThat(all.remedy()).endsWith("SELECT pg_drop_replication_slot('" + SLOT + "')");
            trial.awaitArchived(postgres, FIRST);
            trial.endDay();
            assertThat(trial.gaps(postgres)).isEmpty();
            assertThat(trial.run().requests()).isEmpty();
            assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
        }
    }

    @Test
    void gives_the_slot_up_before_it_fills_the_servers_disk_records_the_gap_and_asks_once_for_a_full_backup() {
        try (var server = TestCluster.start(18, Map.of("max_wal_size", "64MB", "min_wal_size", "32MB"))) {
            TestPostgres postgres = server.postgres();
            TestCluster faulty = server.behind(this::faulty);
            Lsn before;
            try (var trial = new ArchiveTrial(faulty, 18, TIGHT).begin()) {
                write(postgres, 1);
                before = trial.awaitArchived(postgres, FIRST);
                storageIs(FailureKind.RESOURCES_EXHAUSTED);
                write(postgres, 4);
                postgres.execute("postgres", "CHECKPOINT");
                await().atMost(PATIENCE)
                        .until(() -> trial.run().report().findings().stream()
                                .anyMatch(finding -> finding.key().startsWith("wal/slot-dropped/")));
                postgres.execute("postgres", "CHECKPOINT");
                write(postgres, 1);
                postgres.execute("postgres", "CHECKPOINT");
                storages.get("local").repair();

                var outcome = trial.outcome().completed();

                List<WalGap> gaps = trial.gaps(postgres);
                assertThat(gaps).singleElement().satisfies(gap -> {
                    assertThat(gap.timeline()).isEqualTo(FIRST);
                    assertThat(gap.from()).isGreaterThanOrEqualTo(before);
                    assertThat(gap.fullRequested()).isTrue();
                    assertThat(gap.reason()).contains("has already been removed");
                });
                assertThat(trial.run().requests())
                        .containsExactly("full-backup: WAL from " + gaps.get(0).from() + " to "
                                + gaps.get(0).to() + " was removed before it was archived");
                assertThat(outcome.report().findings())
                        .extracting(Finding::key)
                        .contains("wal/gap/1/" + gaps.get(0).from());
            }
            try (var next = new ArchiveTrial(faulty, 18, QUICK).begin()) {
                next.awaitArchived(postgres, FIRST);
                next.endDay();
                assertThat(next.run().requests()).isEmpty();
                assertThat(next.archive(postgres).coverage().gaps()).hasSize(1);
            }
        }
    }

    @Test
    void a_slot_that_the_server_has_invalidated_is_made_anew_behind_a_gap() throws Exception {
        try (var server = TestCluster.start(
                18, Map.of("max_wal_size", "32MB", "min_wal_size", "32MB", "max_slot_wal_keep_size", "16MB"))) {
            TestPostgres postgres = server.postgres();
            try (var trial = new ArchiveTrial(server, 18, QUICK).begin()) {
                write(postgres, 1);
                trial.awaitArchived(postgres, FIRST);
                trial.endDay();
            }
            write(postgres, 5);
            postgres.execute("postgres", "CHECKPOINT");
            assertThat(postgres.text("SELECT wal_status FROM pg_replication_slots WHERE slot_name = '" + SLOT + "'"))
                    .isEqualTo("lost");

            try (var trial = new ArchiveTrial(server, 18, QUICK).begin()) {
                var outcome = trial.outcome().completed();

                assertThat(outcome.report().findings())
                        .extracting(Finding::key)
                        .anyMatch(key -> key.startsWith("wal/slot-lost/"))
                        .anyMatch(key -> key.startsWith("wal/gap/1/"));
                assertThat(trial.run().requests()).hasSize(1);
            }
            try (var next = new ArchiveTrial(server, 18, QUICK).begin()) {
                next.awaitArchived(postgres, FIRST);
                next.endDay();
                assertThat(slot(postgres).orElseThrow()).isLessThanOrEqualTo(flushed(postgres));
                ArchiveTrial.assertHoldsWhatWasWritten(
                        postgres, next.archive(postgres), next.archive(postgres).coverage());
            }
        }
    }
}
