package io.nightshift.jobs.proof;

import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A standby that replays nothing for as long as this is open, ten seconds at most: snapshots that are taken meanwhile show the
 * data at one location of the WAL, which on a primary cannot be had. The pause is one statement on the standby. It waits for
 * an advisory lock that another session of ours holds, so that it ends by itself when we end, in whatever way.
 */
final class PausedStandby implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PausedStandby.class);

    private static final int LIMIT_SECONDS = 10;

    private static final String PAUSE = """
            DO $nightshift$
            DECLARE
                deadline timestamptz := clock_timestamp() + interval '%2$d s';
            BEGIN
                IF pg_get_wal_replay_pause_state() <> 'not paused' THEN
                    RAISE object_not_in_prerequisite_state USING MESSAGE = 'its replay is paused by somebody else';
                END IF;
                IF NOT has_function_privilege('pg_catalog.pg_wal_replay_resume()', 'EXECUTE') THEN
                    RAISE insufficient_privilege USING MESSAGE = 'permission denied for function pg_wal_replay_resume';
                END IF;
                BEGIN
                    PERFORM pg_wal_replay_pause();
                    WHILE NOT pg_try_advisory_lock(%1$d) AND clock_timestamp() < deadline LOOP
                        PERFORM pg_sleep(0.005);
                    END LOOP;
                    PERFORM pg_wal_replay_resume();
                EXCEPTION WHEN query_canceled OR others THEN
                    PERFORM pg_wal_replay_resume();
                    RAISE;
                END;
            END
            $nightshift$
            """;

    /** With these the statement has paused nothing. */
    private static final Set<String> REFUSALS =
            Set.of(SqlStates.OBJECT_NOT_IN_PREREQUISITE_STATE, SqlStates.INSUFFICIENT_PRIVILEGE);

    private final ManagedNode standby;
    private final String purpose;
    private final Connection gate;
    private final Connection pauser;
    private final long lock = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    private volatile boolean mayStandStill;
    private long begun;
    private Duration stoodStill = Duration.ZERO;
    private CompletableFuture<Void> pause = CompletableFuture.completedFuture(null);

    private PausedStandby(ManagedNode standby, String purpose, Connection gate, Connection pauser) {
        this.standby = standby;
        this.purpose = purpose;
        this.gate = gate;
        this.pauser = pauser;
    }

    /** Stops the replay, between two records. */
    static PausedStandby of(ManagedNode standby, String purpose) throws SQLException {
        Connection gate = standby.direct(purpose);
        Connection pauser = null;
        try {
            pauser = standby.direct(purpose);
        } finally {
            if (pauser == null) {
                gate.close();
            }
        }
        var paused = new PausedStandby(standby, purpose, gate, pauser);
        boolean begun = false;
        try {
            paused.begin();
            begun = true;
            return paused;
        } finally {
            if (!begun) {
                paused.close();
            }
        }
    }

    private void begin() throws SQLException {
        text(gate, "SELECT pg_advisory_lock(" + lock + ")::text");
        if (!state().equals("not paused")) {
            throw new NightshiftException(
                    FailureKind.REFUSED, "replay of standby " + standby.address() + " is paused by somebody else");
        }
        begun = System.nanoTime();
        mayStandStill = true;
        pause = CompletableFuture.runAsync(this::pause, task -> new Thread(task, "standby-pause").start());
        while (!isPaused()) {
            requireRunning();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        CrashPoint.reach("restore-test.paused");
    }

    private void pause() {
        try (Statement statement = pauser.createStatement()) {
            statement.execute("SET statement_timeout = 0");
            statement.execute(PAUSE.formatted(lock, LIMIT_SECONDS));
        } catch (SQLException e) {
            mayStandStill = !REFUSALS.contains(String.valueOf(e.getSQLState()));
            throw SqlStates.failure("replay not paused", e);
        }
    }

    private boolean isPaused() throws SQLException {
        return state().equals("paused");
    }

    private String state() throws SQLException {
        return text(gate, "SELECT pg_get_wal_replay_pause_state()");
    }

    /** Up to where the standby has replayed. */
    Lsn location() throws SQLException {
        return Lsn.parse(text(gate, "SELECT pg_last_wal_replay_lsn()::text"));
    }

    /** Fails unless the replay stands still since {@link #of}: what was read since then is of one location. */
    void requirePaused() throws SQLException {
        requireRunning();
        if (!isPaused()) {
            throw notPaused();
        }
    }

    private void requireRunning() {
        if (!pause.isDone()) {
            return;
        }
        try {
            pause.get();
        } catch (ExecutionException failed) {
            throw NightshiftException.of(Objects.requireNonNull(failed.getCause()));
        } catch (InterruptedException impossible) {
            Thread.currentThread().interrupt();
        }
        throw notPaused();
    }

    private static NightshiftException notPaused() {
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                "replay did not stand still within " + LIMIT_SECONDS + " s",
                "it may wait for a query on the standby, up to max_standby_streaming_delay");
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    /** For how long replay stood still at most, when it goes on. */
    Duration stoodStill() {
        return stoodStill;
    }

    /** Lets the standby go on. Fails if it may stand still for good. */
    @Override
    public void close() {
        try (pauser) {
            openGate();
            if (!hasEnded() && mayStandStill) {
                resume();
            }
            stoodStill = Duration.ofNanos(System.nanoTime() - begun);
        } catch (SQLException lost) {
            LOG.debug("{}", ServerNotice.of(lost).message());
        }
    }

    private void openGate() {
        try (gate) {
            text(gate, "SELECT pg_advisory_unlock(" + lock + ")::text");
        } catch (SQLException lost) {
            LOG.debug("{}", ServerNotice.of(lost).message());
        }
    }

    /** In a new session: whoever has ended the statement may have ended all of ours. */
    private void resume() {
        try (Connection another = standby.direct(purpose)) {
            text(another, "SELECT pg_wal_replay_resume()::text");
        } catch (SQLException | NightshiftException failed) {
            boolean isPromoted = failed instanceof SQLException sql
                    && SqlStates.OBJECT_NOT_IN_PREREQUISITE_STATE.equals(sql.getSQLState());
            if (!isPromoted) {
                throw new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        "replay of standby " + standby.address() + " may stand still, we could not let it go on: "
                                + failed.getMessage(),
                        "SELECT pg_wal_replay_resume() there",
                        failed);
            }
        }
    }

    /** Whether the statement came to its own end. Somebody may have ended it without its handler. */
    private boolean hasEnded() {
        try {
            pause.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException | TimeoutException told) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
