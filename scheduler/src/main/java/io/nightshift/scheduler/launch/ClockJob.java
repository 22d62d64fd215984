package io.nightshift.scheduler.launch;

import io.nightshift.infra.run.RunId;
import org.quartz.Job;
import org.quartz.JobDataMap;
import org.quartz.JobExecutionContext;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A due time has come: account for it and hand the run over. */
public final class ClockJob implements Job {

    private static final Logger LOG = LoggerFactory.getLogger(ClockJob.class);

    @Override
    public void execute(JobExecutionContext context) {
        JobDataMap due = context.getMergedJobDataMap();
        try {
            ScheduleClock clock = QuartzSchedulers.bean(context, ScheduleClock.class);
            WorkQueue queue = QuartzSchedulers.bean(context, WorkQueue.class);
            for (RunId run : clock.account(due.getString(ScheduleClock.JOB), due.getString(ScheduleClock.CLUSTER))) {
                queue.carry(run);
            }
        } catch (SchedulerException | RuntimeException e) {
            // The ticker accounts for it within half a minute.
            LOG.warn("due time of {} not accounted for yet: {}", due.getString(ScheduleClock.JOB), e.getMessage(), e);
        }
    }
}
