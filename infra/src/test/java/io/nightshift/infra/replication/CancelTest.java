package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Servers;
import io.nightshift.infra.server.TestPostgres;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CancelTest {

    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final String NEWEST_OR_ALL = "io.nightshift.infra.server.PostgresVersions#newestOrAll";
    private static final int NEWEST = 18;
    private static final long ONE_MEGABYTE = 1L << 20;

    private static final Servers SERVERS = new Servers(Map.of());

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void ends_a_backup_that_waits_for_its_checkpoint(int major) throws Exception {
        var postgres = SERVERS.of(major);
        postgres.execute(
                "postgres",
                "CREATE TABLE dirty_" + System.nanoTime() + " AS SELECT i FROM generate_series(1, 200000) i");
        try (var connection = Connections.open(postgres, "checkpoint")) {
            connection.createPhysicalSlot("checkpoint", true, true);
            var options = BaseBackupOptions.labelled("x")
                    .checkpoint(Checkpoint.SPREAD)
                    .build();
            var backup = CompletableFuture.supplyAsync(() -> failure(connection, options, new NullReceiver()));
            await().until(() -> postgres.text(
                            "SELECT count(*) FROM pg_stat_progress_basebackup WHERE phase LIKE 'waiting for checkpoint%'")
                    .equals("1"));

            connection.cancel("stopped by a test");

            assertCancelled(backup.get(30, TimeUnit.SECONDS));
            assertGone(postgres, "checkpoint");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void ends_a_backup_as_it_starts(int major) throws Exception {
        assertEnds(major, "start", (connection, receiver) -> receiver.onStart = connection);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void ends_a_backup_among_its_data(int major) throws Exception {
        assertEnds(major, "data", (connection, receiver) -> receiver.onData = connection);
    }

    @ParameterizedTest
    @MethodSource(NEWEST_OR_ALL)
    void ends_a_backup_whose_receiver_hangs_while_the_server_cannot_write(int major) throws Exception {
        var postgres = SERVERS.of(major);
        postgres.execute(
                "postgres",
                "CREATE TABLE IF NOT EXISTS large AS SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i");
        var hanging = new CountDownLatch(1);
        var freed = new CountDownLatch(1);
        try (var connection = Connections.open(postgres, "hanging")) {
            connection.createPhysicalSlot("hanging", true, true);
            var receiver = new NullReceiver() {
                @Override
                public void data(byte[] buffer, int offset, int length) {
                    hanging.countDown();
                    await().until(() -> freed.getCount() == 0);
                }
            };
            var backup = CompletableFuture.supplyAsync(() -> failure(connection, atFullSpeed(), receiver));
            assertThat(hanging.await(30, TimeUnit.SECONDS)).isTrue();

            connection.cancel("stopped by a test");

            assertGone(postgres, "hanging");
            freed.countDown();
            assertCancelled(backup.get(30, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void closing_from_another_thread_ends_a_backup_too(int major) throws Exception {
        var postgres = SERVERS.of(major);
        var connection = Connections.open(postgres, "closed");
        var begun = new CountDownLatch(1);
        var backup = CompletableFuture.supplyAsync(() -> failure(connection, slow(), new NullReceiver() {
            @Override
            public void archive(String name, String location) {
                begun.countDown();
            }
        }));
        assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();

        connection.close();

        assertThat(backup.get(30, TimeUnit.SECONDS).kind()).isEqualTo(FailureKind.CANCELLED);
        assertGone(postgres, "closed");
    }

    @Test
    void ends_a_backup_from_a_server_that_answers_nothing() throws Exception {
        try (var postgres = TestPostgres.start(NEWEST);
                var connection = Connections.open(postgres, "frozen")) {
            var frozen = new CountDownLatch(1);
            var backup = CompletableFuture.supplyAsync(() -> failure(connection, slow(), new NullReceiver() {
                @Override
                public void archive(String name, String location) {
                    postgres.freeze();
                    frozen.countDown();
                }
            }));
            assertThat(frozen.await(30, TimeUnit.SECONDS)).isTrue();

            connection.cancel("stopped by a test");

            assertCancelled(backup.get(30, TimeUnit.SECONDS));
            postgres.thaw();
            assertGone(postgres, "frozen");
        }
    }

    @Test
    void a_cancelled_idle_connection_refuses_to_work() throws Exception {
        var postgres = SERVERS.of(NEWEST);
        var connection = Connections.open(postgres, "idle");

        connection.cancel("stopped by a test");
        connection.cancel("a second reason");

        var failure = catchThrowableOfType(NightshiftException.class, connection::identifySystem);
        assertThat(failure.kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(failure).hasMessageEndingWith(": stopped by a test");
        assertGone(postgres, "idle");
        connection.close();
    }

    /** Cancels its connection from another thread at one moment of the backup. */
    private static final class CancellingReceiver extends NullReceiver {

        private ReplicationConnection onStart;
        private ReplicationConnection onData;

        @Override
        public void started(BackupStart start) {
            cancel(onStart);
        }

        @Override
        public void data(byte[] buffer, int offset, int length) {
            super.data(buffer, offset, length);
            if (bytes > ONE_MEGABYTE) {
                cancel(onData);
            }
        }

        private static void cancel(ReplicationConnection connection) {
            if (connection != null) {
                CompletableFuture.runAsync(() -> connection.cancel("stopped by a test"))
                        .join();
            }
        }
    }

    private static void assertEnds(
            int major, String purpose, BiConsumer<ReplicationConnection, CancellingReceiver> moment) throws Exception {
        var postgres = SERVERS.of(major);
        try (var connection = Connections.open(postgres, purpose)) {
            connection.createPhysicalSlot(purpose, true, true);
            var receiver = new CancellingReceiver();
            moment.accept(connection, receiver);

            var failure = failure(connection, slow(), receiver);

            assertCancelled(failure);
            assertGone(postgres, purpose);
        }
    }

    private static NightshiftException failure(
            ReplicationConnection connection, BaseBackupOptions options, BaseBackupReceiver receiver) {
        return catchThrowableOfType(NightshiftException.class, () -> connection.baseBackup(options, receiver));
    }

    private static void assertCancelled(NightshiftException failure) {
        assertThat(failure.kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(failure).hasMessageMatching("base backup from 127.0.0.1:\\d+: stopped by a test");
    }

    /** Neither the walsender nor its temporary slot is left. */
    private static void assertGone(TestPostgres postgres, String purpose) {
        await().until(() -> Connections.walsenders(postgres, purpose) == 0);
        await().until(() -> postgres.text(
                        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + purpose + "'")
                .equals("0"));
    }

    /** Some thirty megabytes at 4 MB/s: long enough to be cut at any moment. */
    private static BaseBackupOptions slow() {
        return BaseBackupOptions.labelled("slow")
                .checkpoint(Checkpoint.FAST)
                .maxRate(4 * ONE_MEGABYTE)
                .build();
    }

    private static BaseBackupOptions atFullSpeed() {
        return BaseBackupOptions.labelled("full speed")
                .checkpoint(Checkpoint.FAST)
                .build();
    }
}
