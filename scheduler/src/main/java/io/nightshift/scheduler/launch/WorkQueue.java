package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Turn;
import io.nightshift.scheduler.ledger.Turns;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.ObjectAlreadyExistsException;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;

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

    public WorkQueue(Scheduler work, Turns turns, Requests requests, ContinuousRuns continuous) {
        this.work = work;
        this.turns = turns;
        this.requests = requests;
        this.continuous = continuous;
    }

    /** Hands over what may begin, ends what is too late, and writes of everything else what it waits for. */
    public void carryWhatMayBegin() {
        for (Turn turn : turns.survey(freeThreads())) {
            switch (turn.kind()) {
                case TOO_LATE -> requests.tooLate(turn.run(), turn.reason());
                case BEGINS -> begin(turn);
                case WAITS -> {}
            }
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

    private void begin(Turn turn) {
        if (turn.forAnybody()) {
            if (turn.continuous()) {
                continuous.work(turn.run());
            } else {
                carry(turn.run());
            }
        }
    }

    /** Wakes a work thread for a run. */
    public void carry(RunId run) {
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
