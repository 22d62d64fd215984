package io.nightshift.scheduler.launch;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.Ledger.Outcome;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.Turns;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.batch.core.BatchStatus;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.step.FatalStepExecutionException;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/**
 * Works runs, each on a thread of its own, from their leases to their outcomes. Many threads and processes may be told to
 * work the same run at once: one does, the others leave. Whoever waits for a run whose step does not react to being
 * stopped is let go; that step's thread is left behind.
 */
public final class RunWorker {

    private static final Logger LOG = LoggerFactory.getLogger(RunWorker.class);

    /** How a worker saw an attempt end. */
    private record Ending(Outcome outcome, @Nullable NightshiftException failure) {}

    private final RunClaims claims;
    private final RunBooks books;
    private final Turns turns;
    private final BatchJobs jobs;
    private final ActiveRuns activeRuns;
    private final Executor threads;
    private final ScheduledExecutorService timeLimits;
    private final Duration stopWithin;

    public RunWorker(
            RunClaims claims,
            RunBooks books,
            Turns turns,
            BatchJobs jobs,
            ActiveRuns activeRuns,
            Executor threads,
            ScheduledExecutorService timeLimits,
            Duration stopWithin) {
        this.claims = claims;
        this.books = books;
        this.turns = turns;
        this.jobs = jobs;
        this.activeRuns = activeRuns;
        this.threads = threads;
        this.timeLimits = timeLimits;
        this.stopWithin = stopWithin;
    }

    /** Works, one after the other, the runs whose turn it is, until it is nobody's or this process leaves. */
    public void workWhatComesNext() {
        Optional<RunId> next = next();
        while (next.isPresent()) {
            work(next.get());
            next = next();
        }
    }

    private Optional<RunId> next() {
        return activeRuns.isLeaving()
                ? Optional.empty()
                : turns.ready().stream().filter(run -> !claims.isInHand(run)).findFirst();
    }

    /**
     * Works the run once and waits for that; empty when another process has it, when it is not its turn, when nothing is
     * left to do, or when it has to wait for another attempt.
     */
    public Optional<Outcome> work(RunId id) {
        try {
            return begin(id).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException own) {
                throw own;
            }
            throw e;
        }
    }

    /** As {@link #work}, without waiting. */
    CompletableFuture<Optional<Outcome>> begin(RunId id) {
        CompletableFuture<Optional<Outcome>> ended = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                ended.complete(work(id, ended));
            } catch (RuntimeException | Error e) {
                if (!ended.completeExceptionally(e)) {
                    LOG.info("the step of run {} that was left behind has ended: {}", id, e.getMessage());
                }
            }
        });
        return ended;
    }

    private Optional<Outcome> work(RunId id, CompletableFuture<Optional<Outcome>> ended) {
        return claims.whileClaimed(id, lease -> {
            CrashPoint.reach("launch.after-lease");
            Optional<Integer> attempt = books.ledger().begin(id, lease, () -> turns.hasCome(id));
            if (attempt.isEmpty()) {
                claims.release(lease);
                return Optional.empty();
            }
            CrashPoint.reach("launch.after-begin");
            return attempt(books.run(id), attempt.get(), lease, ended);
        });
    }

    /**
     * Puts a run whose process is dead back among those that wait, so that it goes on at the step that did not finish; one
     * that has lost too many processes already is closed.
     */
    public void resume(RunId id) {
        claims.whileClaimed(id, lease -> {
            Run run = books.run(id);
            int losses = books.ledger().tries(id).lost() + (run.state() == RunState.RUNNING ? 1 : 0);
            if (run.state().hasEnded()) {
                claims.release(lease);
            } else if (run.terms().goesOnAfterLosses(losses)) {
                String what = run.state() == RunState.RUNNING
                        ? "the process that worked it ended; it goes on"
                        : "it was interrupted before its first step; it begins again";
                books.requeue(run, lease, Ledger.LOST, what, Duration.ZERO);
            } else {
                NightshiftException failure = new NightshiftException(
                        FailureKind.RESOURCES_EXHAUSTED,
                        losses + " attempts of this run ended with their process, so it is not gone on with",
                        "look into the system's log for what ended them, such as the out-of-memory killer; then nightshift restart "
                                + id);
                books.close(run, lease, failed(run, failure), List.of());
            }
            return Optional.<Outcome>empty();
        });
    }

    /** Closes a run whose process is dead without working it again; empty when somebody alive has it. */
    public Optional<Outcome> giveUp(RunId id, String reason) {
        return claims.whileClaimed(id, lease -> {
            if (books.ledger().begin(id, lease, () -> true).isEmpty()) {
                claims.release(lease);
                return Optional.empty();
            }
            Run run = books.run(id);
            Outcome outcome = failed(run, new NightshiftException(FailureKind.RESOURCES_EXHAUSTED, reason));
            return Optional.of(books.close(run, lease, outcome, List.of()));
        });
    }

    @SuppressWarnings("try") // the limit is for closing only
    private Optional<Outcome> attempt(Run run, int number, Lease lease, CompletableFuture<Optional<Outcome>> ended) {
        ActiveRun active = new ActiveRun(run, lease, claims::check, books.settings());
        active.cancellation().onCancel(() -> armLeavingBehind(active, ended));
        activeRuns.add(active);
        MDC.put("run", active.id().toString());
        MDC.put("job", run.job() + "@" + run.cluster());
        try (TimeLimit limit = armTimeLimit(run, active)) {
            LOG.info("attempt {} of run {} begins: {} on cluster {}", number, run.id(), run.job(), run.cluster());
            Ending ending = work(run, active);
            active.hasWorked();
            CrashPoint.reach("finish.before-close");
            Optional<Outcome> closed = end(run, active, ending);
            CrashPoint.reach("finish.after-close");
            return closed;
        } finally {
            activeRuns.remove(active);
            MDC.remove("run");
            MDC.remove("job");
        }
    }

    /** The outcome; empty when the run waits for another attempt. */
    private Optional<Outcome> end(Run run, ActiveRun active, Ending ending) {
        NightshiftException failure = ending.failure();
        if (failure != null && active.isLeftWith(failure)) {
            LOG.info("run {} is left: {}", run.id(), failure.getMessage());
            books.requeue(run, active.lease(), "interrupted", failure.explained(), Duration.ZERO);
            return Optional.empty();
        }
        Optional<Duration> pause = failure == null || !failure.kind().isTransient()
                ? Optional.empty()
                : run.terms().pauseAfter(books.failedBefore(active.id(), active.lease()) + 1);
        if (failure != null && pause.isPresent()) {
            LOG.warn(
                    "run {} gets another attempt after {}: {}",
                    run.id(),
                    Durations.print(pause.get()),
                    failure.explained());
            books.requeue(run, active.lease(), "failed", failure.explained(), pause.get());
            return Optional.empty();
        }
        Outcome closed = books.close(run, active.lease(), ending.outcome(), active.followUps());
        LOG.info(
                "run {} {}: {}",
                run.id(),
                closed.state(),
                closed.reason() == null ? closed.report().summary() : closed.reason());
        return Optional.of(closed);
    }

    private void armLeavingBehind(ActiveRun active, CompletableFuture<Optional<Outcome>> ended) {
        // Not on the thread of the time limits, which must not wait for a control database that is away.
        TimeLimit.arm(timeLimits, stopWithin, () -> threads.execute(() -> leaveBehind(active, ended)));
    }

    /** Ends a run whose step does not react to being stopped, so that the next one can begin; the step is fenced off. */
    private void leaveBehind(ActiveRun active, CompletableFuture<Optional<Outcome>> ended) {
        if (!active.works() || !activeRuns.isWorked(active) || activeRuns.isLeaving()) {
            return;
        }
        try {
            Outcome outcome = books.ledger()
                    .leaveBehind(
                            active.id(),
                            active.lease(),
                            active.cancellation().reason() + "; it did not react within " + Durations.print(stopWithin)
                                    + " and was left behind");
            LOG.warn("run {}: {}", active.id(), outcome.reason());
            activeRuns.remove(active);
            ended.complete(Optional.of(outcome));
        } catch (RuntimeException e) {
            LOG.warn("run {} does not react to being stopped and is not ended yet: {}", active.id(), e.getMessage());
            armLeavingBehind(active, ended);
        }
    }

    private TimeLimit armTimeLimit(Run run, ActiveRun active) {
        Duration limit = run.terms().timeLimit();
        return limit == null
                ? TimeLimit.NONE
                : TimeLimit.arm(
                        timeLimits, limit, () -> active.cancel("time limit of " + Durations.print(limit) + " passed"));
    }

    private Ending work(Run run, ActiveRun active) {
        try {
            books.ledger()
                    .pulse(active.id(), active.lease(), active.progress().snapshot())
                    .ifPresent(active::cancel);
            active.cancellation().check();
            JobExecution execution = jobs.execute(active.id(), run.type());
            active.bind(execution);
            return execution.getStatus() == BatchStatus.COMPLETED
                    ? new Ending(
                            new Outcome(
                                    RunState.COMPLETED, null, active.report().exitStatus(), active.report()),
                            null)
                    : failed(active, causeOf(execution));
        } catch (RuntimeException e) {
            LOG.error("run {} failed", run.id(), e);
            return failed(active, failureOf(e));
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
        return failureOf(failures.get(0));
    }

    /** What Spring says of the control database is no defect of ours. */
    static NightshiftException failureOf(Throwable thrown) {
        boolean known = false;
        boolean ofSpring = false;
        SQLException sql = null;
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            known |= cause instanceof NightshiftException;
            ofSpring |= cause instanceof DataAccessException || cause instanceof TransactionException;
            sql = cause instanceof SQLException found ? found : sql;
        }
        if (known || !ofSpring || sql == null) {
            return NightshiftException.of(thrown);
        }
        return sql.getSQLState() == null ? lost(sql) : SqlStates.failure("control database", sql);
    }

    /** The pool's own words for a connection that broke under somebody have no code. */
    private static NightshiftException lost(SQLException sql) {
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                "control database: connection lost: " + sql.getMessage(),
                "look at the control database, then run the job again",
                sql);
    }

    /** A failure that was brought about by stopping it is no reason to try again. */
    private static Ending failed(ActiveRun active, NightshiftException thrown) {
        NightshiftException failure =
                active.cancellation().isCancelled() && thrown.kind().isTransient()
                        ? new NightshiftException(
                                FailureKind.CANCELLED, active.cancellation().reason(), null, thrown)
                        : thrown;
        RunState state = failure.kind() == FailureKind.CANCELLED ? RunState.STOPPED : RunState.FAILED;
        return new Ending(
                new Outcome(state, failure.explained(), failure.kind().exitStatus(), active.report()), failure);
    }

    private static Outcome failed(Run run, NightshiftException failure) {
        return new Outcome(
                RunState.FAILED,
                failure.explained(),
                failure.kind().exitStatus(),
                run.report() == null ? JobReport.EMPTY : run.report());
    }
}
