package io.nightshift.jobs.proof;

import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.run.Cancellation;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sessions in the databases of a standby that all see what was there at one location of the WAL. The replay stands still only
 * while they take their snapshots.
 */
final class StandbySnapshot implements AutoCloseable {

    private final Map<String, CopySession> sessions = new LinkedHashMap<>();
    private Lsn location = Lsn.INVALID;
    private Duration stoodStill = Duration.ZERO;

    private StandbySnapshot() {}

    static StandbySnapshot of(
            ManagedNode standby, List<String> databases, String purpose, CheckTime time, Cancellation cancellation)
            throws SQLException {
        var snapshot = new StandbySnapshot();
        boolean taken = false;
        try {
            snapshot.take(standby, databases, purpose, time, cancellation);
            taken = true;
            return snapshot;
        } finally {
            if (!taken) {
                snapshot.close();
            }
        }
    }

    private void take(
            ManagedNode standby, List<String> databases, String purpose, CheckTime time, Cancellation cancellation)
            throws SQLException {
        for (String database : databases) {
            Connection connection = standby.direct(database, purpose);
            CopySession session = CopySession.of(connection, time, cancellation);
            sessions.put(database, session);
            TableDigest.prepare(session);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setAutoCommit(false);
        }
        PausedStandby replay = PausedStandby.of(standby, purpose);
        try (replay) {
            location = replay.location();
            for (CopySession session : sessions.values()) {
                session.rows("SELECT 1"); // the first query takes the snapshot
            }
            replay.requirePaused();
        }
        stoodStill = replay.stoodStill();
    }

    Lsn location() {
        return location;
    }

    /** For how long replay stood still. */
    Duration stoodStill() {
        return stoodStill;
    }

    Map<String, CopySession> sessions() {
        return sessions;
    }

    @Override
    public void close() throws SQLException {
        SQLException failure = null;
        for (CopySession session : sessions.values()) {
            try {
                session.close();
            } catch (SQLException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
