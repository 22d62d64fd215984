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
import io.nightshift.scheduler.ledger.Turns;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
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

    /** How a worker saw an attempt end. */
    private record Ending(Outcome outcome, @Nullable NightshiftException failure) {}

    private final RunClaims claims;
    private final RunBooks books;
    private final Turns turns;
    private final BatchJobs jobs;
    private final ActiveRuns activeRuns;
    private final ScheduledExecutorService timers;
    private final Duration stopWithin;

    public RunWorker(
            RunClaims claims,
            RunBooks books,
            Turns turns,
            BatchJobs jobs,
            ActiveRuns activeRuns,
            ScheduledExecutorService timers,
            Duration stopWithin) {
        this.claims = claims;
        this.books = books;
        this.turns = turns;
        this.jobs = jobs;
        this.activeRuns = activeRuns;
        this.timers = timers;
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
        return activeRuns.isLeaving() ? Optional.empty() : turns.next();
    }

    /**
     * Works the run once; empty when another process has it, when it is not its turn, when nothing is left to do, or when
     * it has to wait for another attempt.
     */
    public Optional<Outcome> work(RunId id) {
        return claims.whileClaimed(id, lease -> {
            CrashPoint.reach("launch.after-lease");
            Optional<Integer> attempt = books.ledger().begin(id, lease, () -> turns.hasCome(id));
            if (attempt.isEmpty()) {
                claims.release(lease);
                return Optional.empty();
            }
            CrashPoint.reach("launch.after-begin");
            return attempt(books.run(id), attempt.get(), lease);
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
                books.requeue(run, lease, "lost", "the process that worked it ended; it goes on", Duration.ZERO);
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
    private Optional<Outcome> attempt(Run run, int number, Lease lease) {
        ActiveRun active = new ActiveRun(run, lease, claims::check, books.settings());
        active.cancellation().onCancel(() -> TimeLimit.arm(timers, stopWithin, () -> leaveBehind(run, active)));
        activeRuns.add(active);
        MDC.put("run", active.id().toString());
        MDC.put("job", run.job() + "@" + run.cluster());
        try (TimeLimit limit = armTimeLimit(run, active)) {
            LOG.info("attempt {} of run {} begins: {} on cluster {}", number, run.id(), run.job(), run.cluster());
            Ending ending = work(run, active);
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
            books.requeue(
                    run,
                    active.lease(),
                    "interrupted",
                    failure.kind() == FailureKind.CANCELLED
                            ? failure.explained()
                            : "interrupted: " + failure.explained(),
                    Duration.ZERO);
            return Optional.empty();
        }
        Optional<Duration> pause = failure == null || !failure.kind().isTransient()
                ? Optional.empty()
                : run.terms().pauseAfter(books.ledger().tries(active.id()).failed() + 1);
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

    /** Ends a run whose step does not react to being stopped, so that the next one can begin; the step is fenced off. */
    private void leaveBehind(Run run, ActiveRun active) {
        if (activeRuns.isWorked(active) && !activeRuns.isLeaving()) {
            try {
                books.leaveBehind(
                        run,
                        active.cancellation().reason() + "; it did not react within " + Durations.print(stopWithin)
                                + " and was left behind");
                LOG.warn("run {} did not react to being stopped and was left behind", run.id());
            } catch (RuntimeException e) {
                LOG.warn("run {} does not react to being stopped and could not be ended: {}", run.id(), e.getMessage());
            }
        }
    }

    private TimeLimit armTimeLimit(Run run, ActiveRun active) {
        Duration limit = run.terms().timeLimit();
        return limit == null
                ? TimeLimit.NONE
                : TimeLimit.arm(
                        timers, limit, () -> active.cancel("time limit of " + Durations.print(limit) + " passed"));
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

    private static Ending failed(ActiveRun active, NightshiftException failure) {
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
