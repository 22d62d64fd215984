package io.nightshift.scheduler.ledger;

import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Severity;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What a worker writes about its run. Every change of state checks the run's lease in its own transaction, so that an
 * owner who lost the run can change nothing any more.
 */
public final class Ledger {

    /** How an attempt ended. */
    public record Outcome(RunState state, @Nullable String reason, int exitStatus, JobReport report) {}

    /** The outcome of an attempt whose process ended before it could say how. */
    public static final String LOST = "lost";

    private final DataSource controlDatabase;
    private final JdbcClient ledger;
    private final TransactionTemplate transaction;

    public Ledger(DataSource controlDatabase, TransactionTemplate transaction) {
        this.controlDatabase = controlDatabase;
        this.ledger = JdbcClient.create(controlDatabase);
        this.transaction = transaction;
    }

    /** How the attempts of a run ended since it was last asked for. */
    public record Tries(int failed, int lost) {}

    /**
     * Begins an attempt of a queued run, or of a running one whose owner died; empty when there is nothing to do.
     *
     * @param mayBegin asked in the same transaction
     */
    public Optional<Integer> begin(RunId run, Lease lease, BooleanSupplier mayBegin) {
        return fenced(lease, () -> {
            if (!mayBegin.getAsBoolean()) {
                return Optional.empty();
            }
            int changed = ledger.sql("""
                            UPDATE run SET state = 'running', started_at = coalesce(started_at, clock_timestamp()),
                                           reason = NULL, not_before = NULL, waiting_for = NULL
                            WHERE id = :run AND state IN ('queued', 'running')
                            """).param("run", run.number()).update();
            return changed == 0 ? Optional.empty() : Optional.of(nextAttempt(run, lease));
        });
    }

    private int nextAttempt(RunId run, Lease lease) {
        return ledger.sql("""
                        WITH lost AS (
                            UPDATE attempt SET ended_at = clock_timestamp(), outcome = 'lost',
                                   reason = 'process ' || node || ' ended before it could say how'
                            WHERE run = :run AND ended_at IS NULL)
                        INSERT INTO attempt (run, number, node, token)
                        SELECT :run, coalesce(max(number), 0) + 1, :node, :token FROM attempt WHERE run = :run
                        RETURNING number
                        """)
                .param("run", run.number())
                .param("node", lease.owner())
                .param("token", lease.token())
                .query(Integer.class)
                .single();
    }

    /** Ties the open attempt of a run to Spring Batch's execution, for the step times. */
    public void executes(RunId run, Lease lease, long jobExecution) {
        ledger.sql("""
                        UPDATE attempt SET job_execution = :execution
                        WHERE run = :run AND token = :token AND ended_at IS NULL
                        """)
                .param("execution", jobExecution)
                .param("run", run.number())
                .param("token", lease.token())
                .update();
    }

    /**
     * Closes the run and its open attempt, files its findings, and gives the lease up, all in one transaction.
     *
     * @param alongside what else must be written if and only if the run is closed
     */
    public Outcome close(RunId run, Lease lease, Outcome outcome, Runnable alongside) {
        return fenced(lease, () -> {
            JobReport report = isDryRun(run) ? outcome.report() : withHistory(run, outcome);
            int exitStatus = outcome.state() == RunState.COMPLETED ? report.exitStatus() : outcome.exitStatus();
            ledger.sql("""
                            UPDATE run SET state = :state, reason = :reason, exit_status = :exit, report = :report::jsonb,
                                           progress = NULL, ended_at = clock_timestamp()
                            WHERE id = :run
                            """)
                    .param("state", outcome.state().toString())
                    .param("reason", outcome.reason())
                    .param("exit", exitStatus)
                    .param("report", Json.write(report))
                    .param("run", run.number())
                    .update();
            endAttempt(run, outcome.state().toString(), outcome.reason());
            withConnection(connection -> Leases.release(connection, lease));
            alongside.run();
            return new Outcome(outcome.state(), outcome.reason(), exitStatus, report);
        });
    }

    /**
     * Puts a run back among those that wait, and gives the lease up. A run whose process is lost is for any node that
     * serves, others stay with whoever was to work them.
     *
     * @param outcome of the attempt that this ends: failed, lost or interrupted
     * @param pause until the next attempt may begin
     */
    public void requeue(RunId run, Lease lease, String outcome, String reason, Duration pause) {
        fenced(lease, () -> {
            endAttempt(run, outcome, reason);
            withConnection(connection -> Leases.release(connection, lease));
            return ledger.sql("""
                            UPDATE run SET state = 'queued', node = CASE WHEN NOT :lost THEN node END, reason = :reason, progress = NULL,
                                           not_before = clock_timestamp() + :pause * interval '1 ms'
                            WHERE id = :run AND ended_at IS NULL
                            """)
                    .param("lost", outcome.equals(LOST))
                    .param("reason", reason)
                    .param("pause", pause.toMillis())
                    .param("run", run.number())
                    .update();
        });
    }

    /** What counts against the terms of a run. */
    public Tries tries(RunId run) {
        return ledger.sql("""
                        SELECT count(*) FILTER (WHERE outcome = 'failed') AS failed,
                               count(*) FILTER (WHERE outcome = 'lost') AS lost
                        FROM attempt a JOIN run r ON r.id = a.run
                        WHERE a.run = :run AND a.number > coalesce(r.asked_after, 0)
                        """)
                .param("run", run.number())
                .query((row, number) -> new Tries(row.getInt("failed"), row.getInt("lost")))
                .single();
    }

    /**
     * Shows how far a run is, to whoever follows it; returns the reason why it should stop: somebody asked, or another
     * node has taken it over.
     */
    public Optional<String> pulse(RunId run, Lease lease, Progress.Snapshot progress) {
        return ledger.sql("""
                        UPDATE run SET progress = :progress::jsonb,
                                       progressed_at = CASE WHEN progress IS DISTINCT FROM :progress::jsonb
                                                            THEN clock_timestamp() ELSE progressed_at END
                        WHERE id = :run AND state = 'running'
                          AND EXISTS (SELECT FROM lease WHERE name = :lease AND token = :token)
                        RETURNING stop_requested
                        """)
                .param("progress", Json.write(progress))
                .param("run", run.number())
                .param("lease", lease.name())
                .param("token", lease.token())
                .query((row, number) -> Optional.ofNullable(row.getString(1)))
                .optional()
                .orElseGet(() -> takenOver(lease));
    }

    private Optional<String> takenOver(Lease lease) {
        return ledger.sql("""
                        SELECT CASE WHEN owner IS NULL THEN 'this run was abandoned'
                                    ELSE 'Nightshift node ' || owner || ' has taken this run over' END
                        FROM (VALUES (:lease)) AS wanted (name) LEFT JOIN lease USING (name)
                        WHERE token IS DISTINCT FROM :token
                        """)
                .param("lease", lease.name())
                .param("token", lease.token())
                .query(String.class)
                .optional();
    }

    /** Ends a run whose process is gone or hangs, from any process: whoever held its lease can change nothing any more. */
    public void abandon(RunId run, String reason) {
        transaction.executeWithoutResult(status -> {
            ledger.sql("DELETE FROM lease WHERE name = 'run/' || :run")
                    .param("run", run.number())
                    .update();
            stop(run, reason);
        });
    }

    /** Ends a run without the thread that works it under this lease, which can change nothing any more. */
    public Outcome leaveBehind(RunId run, Lease lease, String reason) {
        return fenced(lease, () -> {
            withConnection(connection -> Leases.release(connection, lease));
            stop(run, reason);
            return new Outcome(RunState.STOPPED, reason, FailureKind.CANCELLED.exitStatus(), JobReport.EMPTY);
        });
    }

    private void stop(RunId run, String reason) {
        int ended = ledger.sql("""
                        UPDATE run SET state = 'stopped', reason = :reason, exit_status = :exit, progress = NULL,
                                       ended_at = clock_timestamp()
                        WHERE id = :run AND state = 'running'
                        """)
                .param("reason", reason)
                .param("exit", FailureKind.CANCELLED.exitStatus())
                .param("run", run.number())
                .update();
        if (ended == 0) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "run " + run + " is not running any more",
                    "nightshift show " + run + " says how it ended");
        }
        endAttempt(run, "abandoned", reason);
    }

    private void endAttempt(RunId run, String outcome, @Nullable String reason) {
        ledger.sql("""
                        UPDATE attempt SET ended_at = clock_timestamp(), outcome = :outcome, reason = :reason
                        WHERE run = :run AND ended_at IS NULL
                        """)
                .param("outcome", outcome)
                .param("reason", reason)
                .param("run", run.number())
                .update();
    }

    /** Whether the attempt under this lease has its outcome: a commit can arrive although its answer did not. */
    public boolean isClosed(RunId run, Lease lease) {
        return ledger.sql("""
                        SELECT EXISTS (SELECT FROM attempt
                                       WHERE run = :run AND token = :token AND ended_at IS NOT NULL AND outcome NOT IN ('lost', 'abandoned'))
                        """)
                .param("run", run.number())
                .param("token", lease.token())
                .query(Boolean.class)
                .single();
    }

    /** A dry run looks at nothing, so it can neither find nor resolve anything. */
    private boolean isDryRun(RunId run) {
        return ledger.sql("SELECT dry_run FROM run WHERE id = :run")
                .param("run", run.number())
                .query(Boolean.class)
                .single();
    }

    /**
     * Compares the findings of a run with the open ones of its job. Only a completed run resolves anything, and only what it
     * has looked for.
     */
    private JobReport withHistory(RunId run, Outcome outcome) {
        Map<String, Finding> known = ledger
                .sql("""
                        SELECT f.key, f.severity, f.subject, f.detail, f.remedy, f.state
                        FROM finding f JOIN run r ON r.job = f.job AND r.cluster = f.cluster
                        WHERE r.id = :run AND f.state <> 'resolved'
                        """)
                .param("run", run.number())
                .query((row, number) -> new Finding(
                        row.getString("key"),
                        Severity.valueOf(row.getString("severity").toUpperCase(Locale.ROOT)),
                        row.getString("subject"),
                        row.getString("detail"),
                        row.getString("remedy"),
                        Finding.State.valueOf(row.getString("state").toUpperCase(Locale.ROOT))))
                .stream()
                .collect(Collectors.toMap(Finding::key, Function.identity()));
        List<Finding> findings = new ArrayList<>();
        for (Finding finding : outcome.report().findings()) {
            findings.add(finding.as(state(finding, known.remove(finding.key()))));
        }
        if (outcome.state() == RunState.COMPLETED) {
            known.values().stream()
                    .filter(gone -> outcome.report().hasLookedFor(gone.key()))
                    .forEach(gone -> findings.add(gone.as(Finding.State.RESOLVED)));
        }
        findings.forEach(finding -> file(run, finding));
        JobReport report = outcome.report();
        return new JobReport(
                report.summary(),
                report.figures(),
                findings,
                report.notEvaluated(),
                report.sections(),
                report.leftAlone());
    }

    private static Finding.State state(Finding finding, @Nullable Finding before) {
        if (finding.state() == Finding.State.RESOLVED) {
            return Finding.State.RESOLVED;
        }
        if (before == null) {
            return Finding.State.NEW;
        }
        return before.state() == Finding.State.SUPPRESSED ? Finding.State.SUPPRESSED : Finding.State.STILL;
    }

    private void file(RunId run, Finding finding) {
        ledger.sql("""
                        INSERT INTO finding (job, cluster, key, severity, subject, detail, remedy, state, first_run, last_run)
                        SELECT job, cluster, :key, :severity, :subject, :detail, :remedy, :state, id, id
                        FROM run WHERE id = :run
                        ON CONFLICT (job, cluster, key) DO UPDATE
                        SET severity = excluded.severity, subject = excluded.subject, detail = excluded.detail,
                            remedy = excluded.remedy, state = excluded.state, last_run = excluded.last_run,
                            first_run = CASE WHEN finding.state = 'resolved' THEN excluded.first_run ELSE finding.first_run END
                        """)
                .param("key", finding.key())
                .param("severity", finding.severity().name().toLowerCase(Locale.ROOT))
                .param("subject", finding.subject())
                .param("detail", finding.detail())
                .param("remedy", finding.remedy())
                .param("state", finding.state().name().toLowerCase(Locale.ROOT))
                .param("run", run.number())
                .update();
    }

    @FunctionalInterface
    private interface Work<T> {
        T apply() throws SQLException;
    }

    @FunctionalInterface
    private interface ConnectionWork {
        void apply(Connection connection) throws SQLException;
    }

    private <T> T fenced(Lease lease, Work<T> work) {
        T result = transaction.execute(status -> {
            withConnection(connection -> Leases.check(connection, lease));
            try {
                return work.apply();
            } catch (SQLException e) {
                throw SqlStates.failure("ledger not writable", e);
            }
        });
        return Objects.requireNonNull(result);
    }

    private void withConnection(ConnectionWork work) {
        Connection connection = DataSourceUtils.getConnection(controlDatabase);
        try {
            work.apply(connection);
        } catch (SQLException e) {
            throw SqlStates.failure("ledger not writable", e);
        } finally {
            DataSourceUtils.releaseConnection(connection, controlDatabase);
        }
    }
}
