package io.nightshift.infra.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.load.Load.Slot;
import io.nightshift.infra.load.Load.Standby;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Servers;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The brake on real servers; standbys are real in the tests of the backup. */
@SuppressWarnings("try") // busy sessions are for being there only
class BrakeTest {

    private static final int NEWEST = 18;
    private static final Duration OFTEN = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final LoadLimits ONE_SESSION =
            new LoadLimits(DataSize.ofMegabytes(1), 1, DataSize.ofMegabytes(1), List.of());

    private static final Servers SERVERS = new Servers(Map.of());

    private final Cancellation cancellation = new Cancellation();

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void reads_the_load_with_a_role_that_only_monitors_and_leaves_out_what_is_ours(int major) throws SQLException {
        TestPostgres postgres = SERVERS.of(major);
        postgres.execute(
                "postgres",
                "DROP ROLE IF EXISTS watcher",
                "CREATE ROLE watcher LOGIN PASSWORD 'w' IN ROLE pg_monitor",
                "SELECT pg_create_physical_replication_slot('of_a_standby', true)",
                "SELECT pg_create_physical_replication_slot('never_used')",
                "SELECT pg_create_physical_replication_slot('nightshift_run_1_abcd', true)",
                "CREATE TABLE filler_" + major + " AS SELECT i FROM generate_series(1, 50000) i");
        try (Busy shop = new Busy(postgres, "shop");
                Busy ours = new Busy(postgres, "nightshift run 17 check");
                Connection watcher = as(postgres, "watcher")) {
            Load load = new LoadReader(watcher).read();

            assertThat(load.isVisible()).isTrue();
            assertThat(load.activeSessions()).isOne();
            assertThat(load.standbys()).isEmpty();
            assertThat(load.slots()).singleElement().satisfies(slot -> {
                assertThat(slot)
                        .extracting(Slot::name, Slot::standby, Slot::active)
                        .containsExactly("of_a_standby", true, false);
                assertThat(slot.retained()).isGreaterThan(1 << 20);
            });
        } finally {
            postgres.execute("postgres", "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void what_a_role_without_rights_may_not_see_is_not_taken_for_nothing(int major) throws SQLException {
        TestPostgres postgres = SERVERS.of(major);
        postgres.execute("postgres", "DROP ROLE IF EXISTS nobody", "CREATE ROLE nobody LOGIN PASSWORD 'w'");
        try (Busy shop = new Busy(postgres, "shop");
                Connection nobody = as(postgres, "nobody")) {
            Load load = new LoadReader(nobody).read();

            assertThat(load.activeSessions()).isNull();
            assertThat(load.isVisible()).isFalse();
            assertThat(load.role()).isEqualTo("nobody");
            assertThat(load.standbys()).noneMatch(Standby::isStreaming);
        }
    }

    @Test
    void a_step_pauses_between_its_chunks_and_goes_on_when_the_load_is_gone() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        Progress progress = new Progress();
        progress.begin("check tables", null, "tables");
        try (Brake brake = brake(postgres, LONG);
                Connection work = postgres.connect("postgres")) {
            Optional<String> unloaded = brake.betweenChunks(progress, LONG, work);
            CompletableFuture<Optional<String>> pause;
            try (Busy one = new Busy(postgres, "shop");
                    Busy two = new Busy(postgres, "shop")) {
                await().until(() -> brake.reason().isPresent());

                pause = CompletableFuture.supplyAsync(() -> brake.betweenChunks(progress, LONG, work));

                await().until(() -> progress.snapshot().note() != null);
                assertThat(progress.snapshot().note()).isEqualTo("paused: 2 sessions are active, limit 1");
                assertThat(pause).isNotDone();
            }

            assertThat(unloaded).isEmpty();
            assertThat(pause.get()).isEmpty();
            assertThat(progress.snapshot().note()).isNull();
        }
    }

    @Test
    void a_pause_that_takes_too_long_ends_the_step_with_the_reason() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        try (Brake brake = brake(postgres, LONG);
                Connection work = postgres.connect("postgres");
                Busy one = new Busy(postgres, "shop");
                Busy two = new Busy(postgres, "shop")) {
            await().until(() -> brake.reason().isPresent());

            Optional<String> end = brake.betweenChunks(new Progress(), Duration.ofMillis(50), work);

            assertThat(end).contains("production came first for 50ms: 2 sessions are active, limit 1");
        }
    }

    @Test
    void a_step_may_not_pause_inside_a_transaction_nor_go_on_pausing_when_it_is_stopped() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        try (Brake brake = brake(postgres, LONG);
                Connection work = postgres.connect("postgres");
                Busy one = new Busy(postgres, "shop");
                Busy two = new Busy(postgres, "shop")) {
            await().until(() -> brake.reason().isPresent());
            work.setAutoCommit(false);
            work.createStatement().execute("SELECT 1");

            assertThatThrownBy(() -> brake.betweenChunks(new Progress(), LONG, work))
                    .isInstanceOf(NightshiftException.class)
                    .hasMessage("a step wants to pause inside a transaction");

            work.rollback();
            var pause = CompletableFuture.supplyAsync(() -> brake.betweenChunks(new Progress(), LONG, work));
            cancellation.cancel("stopped by anna");
            assertThatThrownBy(pause::join)
                    .cause()
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            stopped -> assertThat(stopped.kind()).isEqualTo(FailureKind.CANCELLED));
        }
    }

    @Test
    void an_observing_session_that_hangs_holds_nobody_up_and_after_a_while_brakes_nothing() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        try (Brake brake = brake(postgres, Duration.ofMillis(500));
                Busy one = new Busy(postgres, "shop");
                Busy two = new Busy(postgres, "shop")) {
            await().until(() -> brake.reason().isPresent());
            String observer = Integer.toString(observer(postgres));

            signal("STOP", observer);
            Optional<String> atFirst = brake.reason();
            await().until(() -> brake.reason().isEmpty());
            signal("CONT", observer);

            assertThat(atFirst).contains("2 sessions are active, limit 1");
            await().until(() -> brake.reason().isPresent());
        }
    }

    @Test
    void an_observing_session_that_is_ended_is_replaced() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        try (Brake brake = brake(postgres, LONG);
                Busy one = new Busy(postgres, "shop")) {
            await().until(() -> observer(postgres) > 0);
            int first = observer(postgres);

            postgres.execute("postgres", "SELECT pg_terminate_backend(" + first + ", 5000)");

            await().until(() -> observer(postgres) > 0 && observer(postgres) != first);
            try (Busy two = new Busy(postgres, "shop")) {
                await().until(() -> brake.reason().isPresent());
            }
        }
        await().until(() -> observer(postgres) == 0);
    }

    @Test
    void a_stream_passes_at_the_floor_rate_while_the_brake_is_on_and_stops_when_the_run_does() throws Exception {
        TestPostgres postgres = SERVERS.of(NEWEST);
        Progress progress = new Progress();
        progress.begin("stream base backup", null, "bytes");
        try (Brake brake = brake(postgres, LONG)) {
            Pace pace = brake.pace(DataSize.parse("512kB"), progress);
            pace.passed(1 << 30);
            Duration free = pace.held();
            try (Busy one = new Busy(postgres, "shop");
                    Busy two = new Busy(postgres, "shop")) {
                await().until(() -> brake.reason().isPresent());
                await().until(() -> {
                    pace.passed(32 << 10);
                    return progress.snapshot().note() != null;
                });
                long began = System.nanoTime();
                for (int chunk = 0; chunk < 8; chunk++) {
                    pace.passed(32 << 10);
                }
                Duration took = Duration.ofNanos(System.nanoTime() - began);

                assertThat(free).isZero();
                assertThat(progress.snapshot().note()).isEqualTo("slowed to 512 kB/s: 2 sessions are active, limit 1");
                // 256 kB less than a tenth of a second's worth that may pass at once.
                assertThat(took).isGreaterThan(Duration.ofMillis(390));
                var stopped = CompletableFuture.runAsync(() -> pace.passed(1 << 30));
                cancellation.cancel("stopped by anna");
                assertThatThrownBy(stopped::join).hasMessageContaining("stopped by anna");
            }
        }
    }

    private static void signal(String name, String process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, process).start().waitFor())
                .isZero();
    }

    private Brake brake(TestPostgres postgres, Duration trusted) {
        var node = new WatchedNode("db1:5432", () -> {
            try {
                Connection session = postgres.connect("postgres");
                session.setClientInfo("ApplicationName", "nightshift watching");
                return session;
            } catch (SQLException e) {
                throw new NightshiftException(FailureKind.POSTGRES_UNAVAILABLE, e.getMessage(), null, e);
            }
        });
        return new Brake(ONE_SESSION, List.of(node), cancellation, Clock.systemUTC(), OFTEN, trusted);
    }

    /** Its process, or zero while nobody observes. */
    private static int observer(TestPostgres postgres) {
        return (int) postgres.number("SELECT coalesce(max(pid), 0) FROM pg_stat_activity"
                + " WHERE application_name = 'nightshift watching'");
    }

    private static Connection as(TestPostgres postgres, String role) throws SQLException {
        Properties login = new Properties();
        login.setProperty("user", role);
        login.setProperty("password", "w");
        return DriverManager.getConnection(postgres.url("postgres"), login);
    }

    /** A session that executes something until it is closed; it does when the constructor returns. */
    private static final class Busy implements AutoCloseable {

        private final TestPostgres postgres;
        private final int pid;
        private final Thread thread;

        Busy(TestPostgres postgres, String application) throws SQLException {
            this.postgres = postgres;
            Connection session = postgres.connect("postgres");
            session.setClientInfo("ApplicationName", application);
            pid = number("SELECT pg_backend_pid()", session);
            thread = new Thread(() -> {
                try (session;
                        Statement statement = session.createStatement()) {
                    statement.execute("SELECT pg_sleep(600)");
                } catch (SQLException ended) {
                    // as it was meant to
                }
            });
            thread.start();
            await().until(() -> postgres.number(
                            "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid + " AND state = 'active'")
                    == 1);
        }

        private static int number(String sql, Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(sql)) {
                row.next();
                return row.getInt(1);
            }
        }

        @Override
        public void close() throws SQLException {
            postgres.execute("postgres", "SELECT pg_terminate_backend(" + pid + ", 5000)");
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
