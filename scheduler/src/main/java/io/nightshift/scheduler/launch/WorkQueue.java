package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import javax.sql.DataSource;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.ObjectAlreadyExistsException;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * Carries queued runs to a process that serves: one one-shot trigger per run in the Quartz scheduler {@code work}. A lost
 * trigger is made again, a doubled one is harmless, because the run's lease decides.
 */
public final class WorkQueue {

    static final String RUN = "run";
    private static final String GROUP = "runs";

    private final Scheduler work;
    private final JdbcClient ledger;

    public WorkQueue(Scheduler work, DataSource controlDatabase) {
        this.work = work;
        this.ledger = JdbcClient.create(controlDatabase);
    }

    /** Hands over whatever is queued for anybody and not yet on its way. */
    public void carryQueued() {
        ledger.sql("SELECT id FROM run WHERE state = 'queued' AND node IS NULL ORDER BY id")
                .query(Long.class)
                .list()
                .forEach(id -> carry(new RunId(id)));
    }

    public void carry(RunId run) {
        try {
            TriggerKey key = TriggerKey.triggerKey("run-" + run, GROUP);
            if (work.checkExists(key)) {
                return;
            }
            JobDetail job = JobBuilder.newJob(WorkJob.class)
                    .withIdentity("run-" + run, GROUP)
                    .usingJobData(RUN, run.toString())
                    .requestRecovery()
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
