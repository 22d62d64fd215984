package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A session that creates and drops databases and tables, truncates and rewrites, round after round, and notes between
 * which locations of the WAL each happened. A database or a table of one round is dropped two rounds later.
 */
final class Changes implements AutoCloseable {

    private final TestPostgres server;
    private final List<Change> changes = new ArrayList<>();
    private final AtomicLong rounds = new AtomicLong();
    private final Thread thread = new Thread(this::work, "changes");
    private volatile boolean ending;
    private volatile SQLException failure;

    private Changes(TestPostgres server) {
        this.server = server;
    }

    static Changes begin(TestPostgres server) {
        var changes = new Changes(server);
        changes.thread.setDaemon(true);
        changes.thread.start();
        return changes;
    }

    /** How many are complete. */
    long rounds() throws SQLException {
        if (failure != null) {
            throw failure;
        }
        return rounds.get();
    }

    /** All changes in their order. */
    List<Change> end() throws SQLException {
        close();
        rounds();
        return changes;
    }

    private void work() {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement()) {
            while (!ending) {
                round(statement, rounds.get());
                rounds.incrementAndGet();
            }
        } catch (SQLException e) {
            failure = e;
        }
    }

    private void round(Statement statement, long round) throws SQLException {
        String strategy = round % 2 == 0 ? "file_copy" : "wal_log";
        change(statement, "database born_" + round, true, "CREATE DATABASE born_" + round + " STRATEGY " + strategy);
        change(
                statement,
                "table made_" + round,
                true,
                "CREATE TABLE made_" + round + " AS SELECT i FROM generate_series(1, 500) i");
        change(
                statement,
                "round " + round,
                true,
                "BEGIN; TRUNCATE truncated; INSERT INTO truncated SELECT " + round
                        + " FROM generate_series(1, 100); COMMIT");
        statement.execute("VACUUM FULL rewritten");
        statement.execute("VACUUM FULL chanuka.comments");
        long old = round - 2;
        if (old >= 0) {
            change(statement, "database born_" + old, false, "DROP DATABASE born_" + old);
            change(statement, "table made_" + old, false, "DROP TABLE made_" + old);
        }
    }

    private void change(Statement statement, String what, boolean there, String sql) throws SQLException {
        Lsn before = location(statement);
        statement.execute(sql);
        Lsn after = location(statement);
        changes.add(new Change(what, there, before, after));
        if (what.startsWith("round ")) {
            changes.add(new Change("round " + (rounds.get() - 1), false, before, after));
        }
    }

    private static Lsn location(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn()")) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    @Override
    public void close() {
        ending = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
