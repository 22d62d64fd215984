package io.nightshift.scheduler.history;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Optional;
import javax.sql.DataSource;

/** The logs of runs in the control database. */
public final class RunLogs {

    private final DataSource controlDatabase;

    public RunLogs(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    public Optional<RunLog> find(RunId run) {
        try (Connection connection = controlDatabase.getConnection()) {
            return read(connection, run, "");
        } catch (SQLException e) {
            throw SqlStates.failure("log of run " + run + " not readable in the control database", e);
        }
    }

    /** For {@link #append}. */
    Connection open() throws SQLException {
        return controlDatabase.getConnection();
    }

    /**
     * Adds lines at the end, in a transaction of its own. Every attempt adds to the same log, whichever process works it;
     * a process that has lost the run can add a line too many, but takes none away.
     */
    static void append(Connection connection, RunId run, Collection<String> lines, int dropped) throws SQLException {
        connection.setAutoCommit(false);
        try {
            update(connection, """
                    INSERT INTO run_log (run, lines, text) SELECT id, 0, '' FROM run WHERE id = ? ON CONFLICT DO NOTHING
                    """, run.number());
            Optional<RunLog> before = read(connection, run, " FOR UPDATE");
            if (before.isPresent()) {
                RunLog log = before.get().plus(lines, dropped);
                update(
                        connection,
                        "UPDATE run_log SET lines = ?, dropped = ?, text = ? WHERE run = ?",
                        log.lines(),
                        log.dropped(),
                        log.text(),
                        run.number());
            }
            connection.commit();
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    private static Optional<RunLog> read(Connection connection, RunId run, String lock) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT lines, dropped, text FROM run_log WHERE run = ?" + lock)) {
            select.setLong(1, run.number());
            try (ResultSet row = select.executeQuery()) {
                return row.next()
                        ? Optional.of(new RunLog(row.getInt("lines"), row.getInt("dropped"), row.getString("text")))
                        : Optional.empty();
            }
        }
    }

    private static void update(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            statement.executeUpdate();
        }
    }
}
