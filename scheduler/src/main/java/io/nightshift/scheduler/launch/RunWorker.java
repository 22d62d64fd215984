package io.nightshift.scheduler.launch;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Ledger.Outcome;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.batch.core.BatchStatus;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.step.FatalStepExecutionException;

/**
 * Works one run on the calling thread, from its lease to its outcome. Many threads and processes may be told to work the
 * same run at once: one does, the others leave.
 */
public final class RunWorker {

    private static final Logger LOG = LoggerFactory.getLogger(RunWorker.class);

    private final RunClaims claims;
    private final RunBooks books;
    private final BatchJobs jobs;
    private final ActiveRuns activeRuns;
    private final ScheduledExecutorService timers;

    public RunWorker(
            RunClaims claims, RunBooks books, BatchJobs jobs, ActiveRuns activeRuns, ScheduledExecutorService timers) {
        this.claims = claims;
        this.books = books;
        this.jobs = jobs;
        this.activeRuns = activeRuns;
        this.timers = timers;
    }

    /** Works the run; empty when another process has it or nothing is left to do. */
    public Optional<Outcome> work(RunId id) {
        return claims.whileClaimed(id, lease -> {
            CrashPoint.reach("launch.after-lease");
            Optional<Integer> attempt = books.ledger().begin(id, lease);
            if (attempt.isEmpty()) {
                claims.release(lease);
                return Optional.empty();
            }
            CrashPoint.reach("launch.after-begin");
            return Optional.of(attempt(books.run(id), attempt.get(), lease));
        });
    }

    /** Closes a run whose process is dead without working it again; empty when somebody alive has it. */
    public Optional<Outcome> giveUp(RunId id, String reason) {
        return claims.whileClaimed(id, lease -> {
            if (books.ledger().begin(id, lease).isEmpty()) {
                claims.release(lease);
                return Optional.empty();
            }
            Run run = books.run(id);
            Outcome outcome = failed(run, new NightshiftException(FailureKind.RESOURCES_EXHAUSTED, reason));
            return Optional.of(books.close(run, lease, outcome, List.of()));
        });
    }

    private Outcome attempt(Run run, int number, Lease lease) {
        ActiveRun active = new ActiveRun(run, lease, claims::check, books.settings());
        activeRuns.add(active);
        @Nullable ScheduledFuture<?> limit = armTimeLimit(run, active);
        MDC.put("run", active.id().toString());
        MDC.put("job", run.job() + "@" + run.cluster());
        try {
            LOG.info("attempt {} of run {} begins: {} on cluster {}", number, run.id(), run.job(), run.cluster());
            Outcome outcome = outcome(run, active);
            CrashPoint.reach("finish.before-close");
            Outcome closed = books.close(run, lease, outcome, active.followUps());
            CrashPoint.reach("finish.after-close");
            LOG.info(
                    "run {} {}: {}",
                    run.id(),
                    closed.state(),
                    closed.reason() == null ? closed.report().summary() : closed.reason());
            return closed;
        } finally {
            if (limit != null) {
                limit.cancel(false);
            }
            activeRuns.remove(active);
            MDC.remove("run");
            MDC.remove("job");
        }
    }

    private @Nullable ScheduledFuture<?> armTimeLimit(Run run, ActiveRun active) {
        Duration limit = run.terms().timeLimit();
        return limit == null
                ? null
                : timers.schedule(
                        () -> active.cancel("time limit of " + Durations.print(limit) + " passed"),
                        limit.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    private Outcome outcome(Run run, ActiveRun active) {
        try {
            JobExecution execution = jobs.execute(active.id(), run.type());
            active.bind(execution);
            if (execution.getStatus() == BatchStatus.COMPLETED) {
                return new Outcome(RunState.COMPLETED, null, active.report().exitStatus(), active.report());
            }
            return failed(active, causeOf(execution));
        } catch (RuntimeException e) {
            LOG.error("run {} failed", run.id(), e);
            return failed(active, NightshiftException.of(e));
        }
    }

    private static NightshiftException causeOf(JobExecution execution) {
        List<Throwable> failures = execution.getAllFailureExceptions();
        if (failures.isEmpty() || failures.get(0) instanceof FatalStepExecutionException) {
            return new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "control database did not answer at the end of a step (Spring Batch: " + execution.getStatus()
                            + ")",
                    "look at the control database, then run the job again");
        }
        return NightshiftException.of(failures.get(0));
    }

    private static Outcome failed(ActiveRun active, NightshiftException failure) {
        RunState state = failure.kind() == FailureKind.CANCELLED ? RunState.STOPPED : RunState.FAILED;
        return new Outcome(state, failure.explained(), failure.kind().exitStatus(), active.report());
    }

    private static Outcome failed(Run run, NightshiftException failure) {
        return new Outcome(
                RunState.FAILED,
                failure.explained(),
                failure.kind().exitStatus(),
                run.report() == null ? JobReport.EMPTY : run.report());
    }
}
