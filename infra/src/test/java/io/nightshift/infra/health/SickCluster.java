package io.nightshift.infra.health;

import static org.awaitility.Awaitility.await;

import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A primary with everything wrong that a primary can have, one standby that does not replay, and one that is cut off. */
final class SickCluster implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    final TestPostgres primary;
    final TestPostgres paused;
    final TestPostgres cut;
    private final List<Connection> held = new ArrayList<>();

    SickCluster(int major) throws Exception {
        primary = TestPostgres.start(
                major,
                Map.of(
                        "archive_mode", "on",
                        "archive_command", "false",
                        "autovacuum", "off",
                        "full_page_writes", "off",
                        "synchronous_commit", "off",
                        "synchronous_standby_names", "nobody",
                        "max_prepared_transactions", "5",
                        "wal_level", "logical",
                        "work_mem", "64kB",
                        "deadlock_timeout", "10ms"));
        HealthTrial.createMonitor(primary);
        breakAPage();
        paused = standby(major, "port=" + primary.port() + " password=" + primary.password());
        cut = standby(major, "port=" + primary.port() + " password=" + primary.password());
        await().atMost(LIMIT).until(() -> number("SELECT count(*) FROM pg_stat_replication") == 2);
        for (TestPostgres standby : List.of(paused, cut)) {
            await().atMost(LIMIT)
                    .until(() -> standby.number(
                                    "SELECT count(*) FROM pg_roles WHERE rolname = '" + HealthTrial.MONITOR + "'")
                            == 1);
        }
        cut.restart(Map.of("primary_conninfo", "host=127.0.0.1 port=1 user=postgres"));
        makeSick();
    }

    private TestPostgres standby(int major, String source) throws IOException {
        Map<String, String> settings = new HashMap<>(Map.of(
                "max_connections", "100",
                "max_prepared_transactions", "5",
                "primary_conninfo", "host=127.0.0.1 user=postgres application_name=far " + source));
        TestPostgres standby = TestPostgres.prepare(major, settings);
        Files.createFile(standby.dataDirectory().resolve("standby.signal"));
        standby.restart();
        return standby;
    }

    /** Flips a byte of a table while the server is down; then reads it. */
    private void breakAPage() throws Exception {
        primary.execute("postgres", "CREATE TABLE torn AS SELECT i FROM generate_series(1, 10) i", "CHECKPOINT");
        String file = text("SELECT pg_relation_filepath('torn')");
        primary.stop();
        try (RandomAccessFile table =
                new RandomAccessFile(primary.dataDirectory().resolve(file).toFile(), "rw")) {
            table.seek(8_000);
            int before = table.read();
            table.seek(8_000);
            table.write(before ^ 0xFF);
        }
        primary.restart();
        failing("SELECT * FROM torn");
    }

    private void makeSick() throws Exception {
        primary.execute(
                "postgres",
                "ALTER SYSTEM SET max_worker_processes = 9",
                "SELECT pg_reload_conf()",
                "SELECT pg_create_physical_replication_slot('forgotten', true)",
                "CREATE SEQUENCE almost_over MAXVALUE 100",
                "SELECT setval('almost_over', 97)",
                "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO " + HealthTrial.MONITOR,
                "CREATE TABLE twice AS SELECT 1 AS id FROM generate_series(1, 2)",
                "CREATE TABLE dead WITH (autovacuum_enabled = off) AS SELECT i FROM generate_series(1, 1000) i",
                "DELETE FROM dead WHERE i > 100",
                "ANALYZE dead",
                "ALTER TABLE dead ADD CONSTRAINT small CHECK (i < 10) NOT VALID",
                "CREATE TABLE parent (id int PRIMARY KEY)",
                "CREATE TABLE child (id int REFERENCES parent)",
                "ALTER TABLE child DISABLE TRIGGER ALL",
                "CREATE EXTENSION pg_stat_statements VERSION '1.8'",
                "CREATE SUBSCRIPTION idle CONNECTION 'host=127.0.0.1 port=1' PUBLICATION none"
                        + " WITH (connect = false, slot_name = none, enabled = false)",
                "SELECT count(*) FROM (SELECT i FROM generate_series(1, 50000) i ORDER BY md5(i::text)) sorted",
                "CHECKPOINT",
                "CHECKPOINT");
        failing("CREATE UNIQUE INDEX CONCURRENTLY twice_id ON twice (id)");
        ageACollation();
        deadlock();
        hold("BEGIN", "INSERT INTO parent VALUES (99)", "PREPARE TRANSACTION 'left over'");
        hold("BEGIN ISOLATION LEVEL REPEATABLE READ", "LOCK TABLE twice", "SELECT 1 FROM parent");
        waitBehind("SELECT * FROM twice");
        waitBehind("SELECT pg_sleep(600)");
        primary.execute("postgres", "CREATE TABLE spent (i int)", "INSERT INTO spent VALUES (1)", "DROP TABLE spent");
        paused.execute("postgres", "SELECT pg_wal_replay_pause()");
        primary.execute(
                "postgres",
                "SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))",
                "SELECT pg_switch_wal()",
                "CREATE TABLE later (i int)",
                "CHECKPOINT");
        await().atMost(LIMIT)
                .until(() ->
                        number("SELECT count(*) FROM pg_stat_replication WHERE replay_lag > interval '1 ms'") == 1);
        await().atMost(LIMIT).until(() -> number("SELECT failed_count FROM pg_stat_archiver") > 0);
    }

    /** A collation whose version is another than the one it was made with. */
    private void ageACollation() {
        primary.execute(
                "postgres",
                "CREATE COLLATION of_old (provider = icu, locale = 'de')",
                "CREATE TABLE named (name text COLLATE of_old)",
                "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'of_old'");
    }

    private void deadlock() throws Exception {
        primary.execute("postgres", "CREATE TABLE a (i int)", "CREATE TABLE b (i int)");
        try (Connection one = primary.connect("postgres");
                Connection two = primary.connect("postgres");
                Statement first = one.createStatement();
                Statement second = two.createStatement()) {
            one.setAutoCommit(false);
            two.setAutoCommit(false);
            first.execute("LOCK TABLE a");
            second.execute("LOCK TABLE b");
            Thread waiting = new Thread(() -> quietly(first, "LOCK TABLE b"), "deadlock");
            waiting.start();
            quietly(second, "LOCK TABLE a");
            two.rollback();
            waiting.join();
        }
        await().atMost(LIMIT)
                .until(() -> number("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'") > 0);
    }

    /** A session that stays as these statements leave it. */
    private void hold(String... statements) throws SQLException {
        Connection connection = primary.connect("postgres");
        held.add(connection);
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** A session that works, or waits, for as long as this cluster is needed. */
    private void waitBehind(String sql) throws Exception {
        Connection connection = primary.connect("postgres");
        held.add(connection);
        long pid = number(connection, "SELECT pg_backend_pid()");
        Statement statement = connection.createStatement();
        Thread thread = new Thread(() -> quietly(statement, sql), "waits for " + sql);
        thread.setDaemon(true);
        thread.start();
        await().atMost(LIMIT)
                .until(() ->
                        number("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event IS NOT NULL"
                                        + " AND pid = " + pid)
                                == 1);
    }

    private static void quietly(Statement statement, String sql) {
        try {
            statement.execute(sql);
        } catch (SQLException asIntended) {
            // the victim of a deadlock, or the end of the test
        }
    }

    private void failing(String sql) {
        try (Connection connection = primary.connect("postgres");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException asIntended) {
            return;
        }
        throw new IllegalStateException("succeeds: " + sql);
    }

    private String text(String sql) throws SQLException {
        try (Connection connection = primary.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private long number(String sql) throws SQLException {
        return primary.number(sql);
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    @Override
    public void close() throws SQLException {
        List.of(primary, paused, cut).forEach(TestPostgres::close);
        for (Connection connection : held) {
            connection.close();
        }
    }
}
