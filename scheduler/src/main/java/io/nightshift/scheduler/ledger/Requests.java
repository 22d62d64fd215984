package io.nightshift.scheduler.ledger;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.schedule.Fate;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * The one class that writes what people, programs and the clock ask for: launch, stop, restart. One job on one cluster
 * never runs twice at once: a unique index of the ledger sees to it, whichever process asks.
 */
public final class Requests {

    private final JdbcClient ledger;

    public Requests(DataSource controlDatabase) {
        ledger = JdbcClient.create(controlDatabase);
    }

    /** Queues a run; refused while another run of this job on this cluster is queued or running. */
    public RunId launch(LaunchRequest request) {
        return insert(request, null).orElseThrow(() -> busy(request.job(), request.cluster()));
    }

    /** The same for a run that begins then at the earliest. Call it in a transaction. */
    public RunId launch(LaunchRequest request, Instant notBefore) {
        RunId run = launch(request);
        ledger.sql("UPDATE run SET not_before = :notBefore WHERE id = :run")
                .param("notBefore", Timestamp.from(notBefore))
                .param("run", run.number())
                .update();
        return run;
    }

    /**
     * Accounts for the due times of a job on a cluster: each becomes a run, queued or ended by its fate. One that is to run
     * while an earlier run is still there is skipped. Call it in the transaction that moves the cursor.
     */
    List<RunId> due(LaunchRequest request, List<Fate> fates) {
        List<RunId> queued = new ArrayList<>();
        for (Fate fate : fates) {
            if (fate.kind() == Fate.Kind.RUN) {
                insert(request, fate.due().at())
                        .ifPresentOrElse(
                                queued::add,
                                () -> close(
                                        request,
                                        fate.due().at(),
                                        RunState.SKIPPED,
                                        busy(request.job(), request.cluster()).getMessage()));
            }
        }
        String covering = queued.isEmpty()
                ? present(request.job(), request.cluster())
                        .map(run -> "run " + run + ", which was still there")
                        .orElse("no run")
                : "run " + queued.get(queued.size() - 1);
        for (Fate fate : fates) {
            Instant due = fate.due().at();
            switch (fate.kind()) {
                case SKIPPED -> close(request, due, RunState.SKIPPED, fate.reason());
                case MISSED -> close(request, due, RunState.MISSED, fate.reason());
                case COVERED -> close(request, due, RunState.MISSED, "missed (covered by " + covering + ")");
                case RUN -> {}
            }
        }
        return queued;
    }

    /** Queues a run that follows another one; where it cannot begin, a skipped run says why. */
    public void chain(LaunchRequest request, Optional<String> paused) {
        if (paused.isPresent()) {
            skip(request, paused.get());
        } else if (insert(request, null).isEmpty()) {
            skip(request, String.valueOf(busy(request.job(), request.cluster()).getMessage()));
        }
    }

    private void skip(LaunchRequest request, String reason) {
        statement(request, null, RunState.SKIPPED, reason).query(Long.class).optional();
    }

    /** Ends a run that waited until it was too late: as missed, or as failed if it has had an attempt. */
    public void tooLate(RunId run, String reason) {
        ledger.sql("""
                        UPDATE run
                        SET state = CASE WHEN started_at IS NULL THEN 'missed' ELSE 'failed' END,
                            exit_status = CASE WHEN started_at IS NULL THEN NULL ELSE :exit END,
                            reason = :reason || coalesce(E'\n' || reason, ''),
                            ended_at = clock_timestamp(), not_before = NULL, waiting_for = NULL
                        WHERE id = :run AND state = 'queued'
                          AND NOT EXISTS (SELECT FROM lease WHERE name = 'run/' || run.id)
                        """)
                .param("exit", FailureKind.REFUSED.exitStatus())
                .param("reason", reason)
                .param("run", run.number())
                .update();
    }

    /** Enters something that was done without a lease, such as a verification from the command line. */
    public void record(LaunchRequest done, Ledger.Outcome outcome, Instant startedAt) {
        statement(done, null, outcome.state(), outcome.reason())
                .query(Long.class)
                .optional()
                .ifPresent(run -> ledger.sql(
                                "UPDATE run SET started_at = :started, exit_status = :exit, report = :report::jsonb WHERE id = :run")
                        .param("started", Timestamp.from(startedAt))
                        .param("exit", outcome.exitStatus())
                        .param("report", Json.write(outcome.report()))
                        .param("run", run)
                        .update());
    }

    /**
     * Asks a run to stop; whoever works it hears that within a second. A run that nobody works yet is stopped by this.
     *
     * @return stopped, or running while somebody works it
     */
    public RunState stop(RunId run, String reason) {
        return ledger.sql("""
                        UPDATE run
                        SET stop_requested = coalesce(stop_requested, :reason),
                            state = CASE state WHEN 'queued' THEN 'stopped' ELSE state END,
                            reason = CASE state WHEN 'queued' THEN :reason ELSE reason END,
                            exit_status = CASE state WHEN 'queued' THEN :exit END,
                            ended_at = CASE state WHEN 'queued' THEN clock_timestamp() END,
                            not_before = NULL, waiting_for = NULL
                        WHERE id = :run AND ended_at IS NULL
                        RETURNING state
                        """)
                .param("reason", reason)
                .param("exit", FailureKind.CANCELLED.exitStatus())
                .param("run", run.number())
                .query(String.class)
                .optional()
                .map(RunState::of)
                .orElseThrow(() -> refused(run, "there is nothing to stop"));
    }

    /** Whether somebody has asked a run to stop that has not ended yet. */
    public boolean isAskedToStop(RunId run) {
        return ledger.sql("SELECT stop_requested IS NOT NULL FROM run WHERE id = :run")
                .param("run", run.number())
                .query(Boolean.class)
                .optional()
                .orElse(false);
    }

    /** Queues a failed or stopped run again: its next attempt begins at the step that failed. */
    public void restart(RunId run, String actor, @Nullable String node) {
        int changed;
        try {
            changed = ledger.sql("""
                            UPDATE run SET state = 'queued', ended_at = NULL, exit_status = NULL, stop_requested = NULL,
                                           node = :node, reason = 'restarted by ' || :actor,
                                           not_before = NULL, waiting_for = NULL,
                                           followed = false,
                                           asked_after = (SELECT coalesce(max(number), 0) FROM attempt WHERE run = id)
                            WHERE id = :run AND state IN ('failed', 'stopped')
                            """)
                    .param("node", node, Types.VARCHAR)
                    .param("actor", actor)
                    .param("run", run.number())
                    .update();
        } catch (DuplicateKeyException another) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "run " + run + " not restarted: a newer run of its job is queued or running",
                    "wait for that one",
                    another);
        }
        if (changed == 0) {
            throw refused(run, "only failed and stopped runs can be restarted");
        }
    }

    private NightshiftException refused(RunId run, String rule) {
        String state = ledger.sql("SELECT state FROM run WHERE id = :run")
                .param("run", run.number())
                .query(String.class)
                .optional()
                .orElseThrow(() -> RunHistory.unknown(run));
        return new NightshiftException(
                FailureKind.REFUSED, "run " + run + " is " + state + ": " + rule, "nightshift show " + run);
    }

    private Optional<RunId> insert(LaunchRequest request, @Nullable Instant due) {
        return statement(request, due, RunState.QUEUED, null)
                .query(Long.class)
                .optional()
                .map(RunId::new);
    }

    private void close(LaunchRequest request, Instant due, RunState state, @Nullable String reason) {
        statement(request, due, state, reason).query(Long.class).optional();
    }

    private JdbcClient.StatementSpec statement(
            LaunchRequest request, @Nullable Instant due, RunState state, @Nullable String reason) {
        return ledger.sql("""
                        INSERT INTO run (job, job_type, cluster, due, cause, actor, settings, dry_run, terms, priority,
                                         cause_run, node,
                                         state, reason, ended_at)
                        VALUES (:job, :type, :cluster, :due, :cause, :actor, :settings::jsonb, :dryRun, :terms::jsonb, :priority,
                                :causeRun, :node,
                                :state, :reason, CASE WHEN :ended THEN clock_timestamp() END)
                        ON CONFLICT DO NOTHING
                        RETURNING id
                        """)
                .param("job", request.job())
                .param("type", request.jobType())
                .param("cluster", request.cluster())
                .param("due", due == null ? null : Timestamp.from(due), Types.TIMESTAMP)
                .param("cause", request.cause().toString())
                .param("actor", request.actor())
                .param("settings", Json.write(request.settings()))
                .param("dryRun", request.dryRun())
                .param("terms", Json.write(request.terms()))
                .param("priority", request.terms().priority())
                .param(
                        "causeRun",
                        request.causedBy() == null ? null : request.causedBy().number(),
                        Types.BIGINT)
                .param("node", request.node())
                .param("state", state.toString())
                .param("reason", reason)
                .param("ended", state.hasEnded());
    }

    /**
     * How a job fared lately.
     *
     * @param failures runs that did not complete since the last one that did
     * @param ago since the newest of all ended
     */
    public record LastEnd(int failures, Duration ago) {}

    /** Empty when none of its runs has worked and ended. */
    public Optional<LastEnd> lastEnd(String job, String cluster) {
        return ledger.sql("""
                        WITH newest AS (
                            SELECT state, ended_at FROM run
                            WHERE job = :job AND cluster = :cluster AND started_at IS NOT NULL AND ended_at IS NOT NULL
                            ORDER BY requested_at DESC, id DESC LIMIT 20)
                        SELECT count(*) FILTER (WHERE ended_at > coalesce(
                                   (SELECT max(ended_at) FROM newest WHERE state = 'completed'), '-infinity')) AS failures,
                               extract(epoch FROM clock_timestamp() - max(ended_at)) * 1000 AS ago
                        FROM newest HAVING count(*) > 0
                        """)
                .param("job", job)
                .param("cluster", cluster)
                .query((row, number) -> new LastEnd(row.getInt("failures"), Duration.ofMillis(row.getLong("ago"))))
                .optional();
    }

    /** Whether a run of the job on the cluster is queued or running. */
    public boolean isBusy(String job, String cluster) {
        return present(job, cluster).isPresent();
    }

    private Optional<RunId> present(String job, String cluster) {
        return ledger.sql(
                        "SELECT id FROM run WHERE job = :job AND cluster = :cluster AND state IN ('queued', 'running')")
                .param("job", job)
                .param("cluster", cluster)
                .query((row, number) -> new RunId(row.getLong(1)))
                .optional();
    }

    private NightshiftException busy(String job, String cluster) {
        String present = ledger.sql("""
                        SELECT 'run ' || id || ' ' || state
                               || coalesce(' since ' || to_char(started_at AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'),
                                           ', not before ' || to_char(not_before AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
                                           '')
                        FROM run WHERE job = :job AND cluster = :cluster AND state IN ('queued', 'running')
                        """)
                .param("job", job)
                .param("cluster", cluster)
                .query(String.class)
                .optional()
                .orElse("another run was there and has just ended");
        return new NightshiftException(
                FailureKind.REFUSED,
                "job " + job + " is already there on cluster " + cluster + ": " + present,
                "wait for it, or look at it with nightshift show; nightshift stop makes room for another");
    }
}
