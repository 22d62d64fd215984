package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.health.DailyCheck.Counted;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;

/** Where checks are easily wrong: what looks bad and is not, what is worse than it looks, and what to do about it. */
class HealthJudgementTest {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private static Path directory;
    private static TestPostgres primary;
    private static TestPostgres standby;

    @BeforeAll
    static void start() throws Exception {
        directory = TestPostgres.temporaryDirectory("judgement-");
        Map<String, String> settings = new HashMap<>(HealthTrial.HEALTHY);
        settings.put("archive_command", "test ! -e " + broken());
        settings.put("data_sync_retry", "on");
        primary = TestPostgres.start(18, settings);
        HealthTrial.createMonitor(primary);
        standby = HealthTrial.streaming(primary, 18);
        await().atMost(LIMIT).until(() -> standby.number("""
                SELECT count(*) FROM pg_roles r, pg_stat_wal_receiver w
                WHERE pg_has_role(r.oid, 'pg_monitor', 'USAGE') AND rolname = 'watch' AND w.status = 'streaming'
                """) == 1);
    }

    @AfterAll
    static void stop() throws IOException {
        standby.close();
        primary.close();
        Files.deleteIfExists(broken());
        Files.delete(directory);
    }

    private static Path broken() {
        return directory.resolve("broken");
    }

    private static List<Wrong> look(SqlCheck check, String... overrides) {
        return HealthTrial.of(primary, standby).with(check).look(overrides).findings();
    }

    private static void awaitOne(String sql) {
        await().atMost(LIMIT).until(() -> primary.number(sql) == 1);
    }

    private static Statement open(List<Connection> held) throws SQLException {
        Connection connection = primary.connect("postgres");
        held.add(connection);
        connection.setAutoCommit(false);
        return connection.createStatement();
    }

    @Test
    void who_only_keeps_wal_does_not_replay_late() throws Exception {
        Properties login = new Properties();
        login.setProperty("user", primary.username());
        login.setProperty("password", primary.password());
        login.setProperty("replication", "true");
        login.setProperty("preferQueryMode", "simple");
        login.setProperty("assumeMinServerVersion", "15");
        login.setProperty("ApplicationName", "keeper");
        try (Connection connection = DriverManager.getConnection(primary.url("postgres"), login);
                PGReplicationStream stream = connection
                        .unwrap(PGConnection.class)
                        .getReplicationAPI()
                        .replicationStream()
                        .physical()
                        .withStartPosition(LogSequenceNumber.valueOf(
                                primary.number("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn")))
                        .start()) {
            await().atMost(LIMIT).until(() -> {
                primary.execute("postgres", "SELECT pg_logical_emit_message(true, 'test', 'x')");
                stream.readPending();
                stream.forceUpdateStatus();
                return primary.number("""
                        SELECT count(*) FROM pg_stat_replication
                        WHERE application_name = 'keeper' AND replay_lag > interval '1 ms'
                        """) == 1;
            });

            assertThat(look(new ReplicationDelayCheck(), "replication-delay.warning", "1ms"))
                    .extracting(Wrong::subject)
                    .noneMatch(subject -> subject.contains("keeper"));
        }
    }

    @Test
    void a_standby_that_replays_late_on_purpose_is_named_in_the_settings() {
        standby.execute("postgres", "SELECT pg_wal_replay_pause()");
        try {
            primary.execute("postgres", "SELECT pg_logical_emit_message(false, 'test', 'x', true)");
            awaitOne("SELECT count(*) FROM pg_stat_replication"
                    + " WHERE application_name = 'walreceiver' AND replay_lag > interval '1 ms'");

            var told = look(new ReplicationDelayCheck(), "replication-delay.warning", "1ms");
            var named = look(
                    new ReplicationDelayCheck(),
                    "replication-delay.warning",
                    "1ms",
                    "delayed-standbys",
                    "[walreceiver]");

            assertThat(told)
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.remedy()).contains("name it in delayed-standbys"));
            assertThat(named).isEmpty();
        } finally {
            standby.execute("postgres", "SELECT pg_wal_replay_resume()");
        }
    }

    @Test
    void a_slot_that_waits_on_a_standby_for_a_failover_is_no_finding() {
        String create = "SELECT pg_create_physical_replication_slot('kept', true)";
        String drop = "SELECT pg_drop_replication_slot('kept')";
        standby.execute("postgres", create);
        primary.execute("postgres", create);
        try {
            assertThat(look(new ReplicationSlotsCheck(), "slot-inactive", "1ms"))
                    .extracting(Wrong::subject)
                    .containsExactly("slot kept of " + HealthTrial.address(primary));
            assertThat(look(new ReplicationSlotsCheck(), "slot-inactive", "1ms", "slot-retained.warning", "1B"))
                    .extracting(Wrong::subject)
                    .contains("slot kept of " + HealthTrial.address(standby));
        } finally {
            standby.execute("postgres", drop);
            primary.execute("postgres", drop);
        }
    }

    @Test
    void archiving_fails_for_as_long_as_the_oldest_segment_waits() throws Exception {
        Files.createFile(broken());
        primary.execute("postgres", "CREATE TABLE later (i int)", "SELECT pg_switch_wal()");
        awaitOne("SELECT count(*) FROM pg_stat_archiver WHERE failed_count > 0");

        var fresh = look(new WalArchivingCheck());
        try (Stream<Path> files =
                Files.list(primary.dataDirectory().resolve("pg_wal").resolve("archive_status"))) {
            for (Path ready :
                    files.filter(file -> file.toString().endsWith(".ready")).toList()) {
                Files.setLastModifiedTime(ready, FileTime.from(Instant.now().minus(Duration.ofHours(3))));
            }
        }
        var old = look(new WalArchivingCheck());
        Files.delete(broken());

        assertThat(fresh).isEmpty();
        assertThat(old).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.CRITICAL);
            assertThat(finding.detail()).startsWith("archiving fails: a WAL segment waits for 3h");
        });
    }

    @Test
    void of_several_queues_the_one_that_waits_longest_is_told() throws Exception {
        List<Connection> held = new ArrayList<>();
        List<Thread> waiting = new ArrayList<>();
        primary.execute("postgres", "CREATE TABLE one (i int)", "CREATE TABLE two (i int)");
        try {
            open(held).execute("LOCK TABLE one");
            open(held).execute("LOCK TABLE two");
            for (String table : List.of("one", "two", "two")) {
                Statement statement = open(held);
                waiting.add(new Thread(() -> quietly(statement, "LOCK TABLE " + table), "waits for " + table));
                waiting.get(waiting.size() - 1).start();
                await().atMost(LIMIT)
                        .until(() -> primary.number("SELECT count(*) FROM pg_locks WHERE waitstart IS NOT NULL")
                                == waiting.size());
            }

            assertThat(look(new BlockersCheck(), "blocked.warning", "1ms"))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail())
                            .startsWith("1 session waits for up to ")
                            .endsWith("; 2 such queues in all"));
        } finally {
            for (Connection connection : held) {
                connection.abort(Runnable::run);
            }
            for (Thread thread : waiting) {
                thread.join();
            }
        }
    }

    private static void quietly(Statement statement, String sql) {
        try {
            statement.execute(sql);
        } catch (SQLException asIntended) {
            // the end of the test
        }
    }

    @Test
    void a_descending_sequence_gets_a_lower_end_and_one_that_is_being_altered_is_not_waited_for() throws Exception {
        List<Connection> held = new ArrayList<>();
        primary.execute(
                "postgres",
                "CREATE SEQUENCE down INCREMENT -1 MINVALUE -100",
                "SELECT setval('down', -97)",
                "CREATE SEQUENCE altered",
                "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO " + HealthTrial.MONITOR);
        try {
            open(held).execute("ALTER SEQUENCE altered MAXVALUE 5000");

            var report = HealthTrial.of(primary).with(new SequencesCheck()).look();

            assertThat(report.findings())
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.remedy())
                            .isEqualTo("ALTER SEQUENCE public.down AS bigint MINVALUE -9223372036854775808"));
            assertThat(report.notEvaluated())
                    .singleElement()
                    .satisfies(gap -> assertThat(gap.reason()).isEqualTo("locked: public.altered"));
        } finally {
            for (Connection connection : held) {
                connection.close();
            }
        }
    }

    @Test
    void a_setting_of_our_own_role_is_not_taken_for_that_of_everybody() {
        primary.execute("postgres", "ALTER ROLE " + HealthTrial.MONITOR + " SET synchronous_commit = off");
        try {
            var report = HealthTrial.of(primary).with(new SettingsCheck()).look();

            assertThat(report.findings()).singleElement().satisfies(finding -> {
                assertThat(finding.subject()).isEqualTo("data_sync_retry of " + HealthTrial.address(primary));
                assertThat(finding.remedy()).isEqualTo("ALTER SYSTEM SET data_sync_retry = off; then restart");
            });
            assertThat(report.notEvaluated())
                    .singleElement()
                    .satisfies(gap -> assertThat(gap.reason())
                            .isEqualTo(
                                    "role watch, or database postgres, has a setting of its own: synchronous_commit = off;"
                                            + " see pg_db_role_setting"));
        } finally {
            primary.execute("postgres", "ALTER ROLE " + HealthTrial.MONITOR + " RESET synchronous_commit");
        }
    }

    @Test
    void a_failsafe_age_of_0_is_what_the_server_makes_of_it() {
        primary.execute("postgres", "ALTER SYSTEM SET vacuum_failsafe_age = 0", "SELECT pg_reload_conf()");
        awaitOne("SELECT count(*) FROM pg_settings WHERE name = 'vacuum_failsafe_age' AND setting = '0'");

        assertThat(look(new WraparoundCheck())).isEmpty();
        assertThat(look(new WraparoundCheck(), "freeze-age.warning", "0"))
                .filteredOn(finding -> finding.subject().startsWith("database template0, transactions"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.remedy())
                        .contains("ALTER DATABASE template0 ALLOW_CONNECTIONS true; vacuumdb --freeze"));
    }

    @Test
    void a_wal_receiver_may_be_silent_for_its_timeout_and_without_one_that_is_the_finding() {
        DurationLimits limits = new DurationLimits(Duration.ofMinutes(1), Duration.ofMinutes(5));
        standby.execute("postgres", "ALTER SYSTEM SET wal_receiver_timeout = 0", "SELECT pg_reload_conf()");
        await().atMost(LIMIT)
                .until(() -> standby.number(
                                "SELECT count(*) FROM pg_settings WHERE name = 'wal_receiver_timeout' AND setting = '0'")
                        == 1);

        var found = look(new WalReceiverCheck(), "receiver-silent.critical", "1ms", "receiver-silent.warning", "1ms");

        assertThat(found).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.WARNING);
            assertThat(finding.detail()).startsWith("wal_receiver_timeout is 0: ");
        });
        assertThat(WalReceiverCheck.severity(Duration.ofMinutes(6), Duration.ofMinutes(10), limits))
                .isEmpty();
        assertThat(WalReceiverCheck.severity(Duration.ofMinutes(6), Duration.ofMinutes(1), limits))
                .contains(Severity.CRITICAL);
    }

    @Test
    void counts_of_many_terabytes_do_not_overflow() {
        assertThat(new Counted("shop", 200L << 40, Duration.ofDays(10)).perDay())
                .isEqualTo(20L << 40);
        assertThat(new Counted("shop", 7, Duration.ofHours(1)).perDay()).isEqualTo(7);
    }

    @Test
    void only_what_a_reset_clears_is_told_to_be_reset() {
        assertThat(ChecksumFailuresCheck.afterwards("database shop"))
                .contains("SELECT pg_stat_reset()")
                .endsWith("then ANALYZE");
        assertThat(ChecksumFailuresCheck.afterwards(ChecksumFailuresCheck.SHARED))
                .doesNotContain("pg_stat_reset");
    }
}
