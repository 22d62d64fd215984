package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Turn;
import io.nightshift.scheduler.ledger.Turns;
import java.util.ArrayList;
import java.util.List;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.ObjectAlreadyExistsException;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Carries runs whose turn has come to a thread that works: one one-shot trigger each in the Quartz scheduler {@code work}.
 * The trigger only wakes a thread, which asks whose turn it is then. A lost trigger is made again, a doubled one is
 * harmless, because the run's lease decides.
 */
public final class WorkQueue {

    private static final String GROUP = "runs";

    private final Scheduler work;
    private final Turns turns;
    private final Requests requests;
    private final ContinuousRuns continuous;
    private final TransactionTemplate transaction;

    public WorkQueue(
            Scheduler work,
            Turns turns,
            Requests requests,
            ContinuousRuns continuous,
            TransactionTemplate transaction) {
        this.work = work;
        this.turns = turns;
        this.requests = requests;
        this.continuous = continuous;
        this.transaction = transaction;
    }

    /** Hands over what may begin, ends what is too late, and writes of everything else what it waits for. */
    public void carryWhatMayBegin() {
        List<RunId> forThreads = new ArrayList<>();
        for (Turn turn : turns.survey(freeThreads())) {
            switch (turn.kind()) {
                case TOO_LATE -> requests.tooLate(turn.run(), turn.reason());
                case BEGINS -> {
                    if (turn.forAnybody() && turn.continuous()) {
                        continuous.work(turn.run());
                    } else if (turn.forAnybody()) {
                        forThreads.add(turn.run());
                    }
                }
                case WAITS -> {}
            }
        }
        wakeThreadsFor(forThreads);
    }

    /** Wakes as many work threads as are free: each goes on with what comes next until nothing does. */
    void wakeThreadsFor(List<RunId> runs) {
        if (!runs.isEmpty()) {
            runs.stream()
                    .limit(Math.max(0, freeThreads()))
                    .forEach(run -> transaction.executeWithoutResult(status -> carry(run)));
        }
    }

    private int freeThreads() {
        try {
            return work.getMetaData().getThreadPoolSize()
                    - work.getCurrentlyExecutingJobs().size();
        } catch (SchedulerException e) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE, "work threads not counted: " + e.getMessage(), null, e);
        }
    }

    /** Outside of a transaction Quartz keeps half a trigger where the database goes away, and finds no other any more. */
    private void carry(RunId run) {
        try {
            TriggerKey key = TriggerKey.triggerKey("run-" + run, GROUP);
            if (work.checkExists(key)) {
                return;
            }
            JobDetail job = JobBuilder.newJob(WorkJob.class)
                    .withIdentity("run-" + run, GROUP)
                    .build();
            Trigger now =
                    TriggerBuilder.newTrigger().withIdentity(key).startNow().build();
            work.scheduleJob(job, now);
        } catch (ObjectAlreadyExistsException alreadyOnItsWay) {
            // another thread or process was quicker
        } catch (SchedulerException e) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "run " + run + " not handed over to a worker: " + e.getMessage(),
                    null,
                    e);
        }
    }
}
