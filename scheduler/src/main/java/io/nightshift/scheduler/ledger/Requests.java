package io.nightshift.scheduler.ledger;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.schedule.Fate;
import java.sql.Timestamp;
import java.sql.Types;
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
        String covering = queued.isEmpty() ? "no run" : "run " + queued.get(queued.size() - 1);
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
                                           not_before = NULL, waiting_for = NULL
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

    /** Whether a run of the job on the cluster is queued or running. */
    boolean isBusy(String job, String cluster) {
        return ledger.sql("""
                        SELECT EXISTS (SELECT FROM run
                                       WHERE job = :job AND cluster = :cluster AND state IN ('queued', 'running'))
                        """)
                .param("job", job)
                .param("cluster", cluster)
                .query(Boolean.class)
                .single();
    }

    private NightshiftException busy(String job, String cluster) {
        String present = ledger.sql("""
                        SELECT 'run ' || id || ' ' || state
                               || coalesce(' since ' || to_char(started_at AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'), '')
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
                "wait for it, or look at it with nightshift show");
    }
}
