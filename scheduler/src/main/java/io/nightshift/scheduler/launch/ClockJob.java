package io.nightshift.scheduler.launch;

import org.quartz.Job;
import org.quartz.JobExecutionContext;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Due times have come: account for them and hand their runs over. */
public final class ClockJob implements Job {

    private static final Logger LOG = LoggerFactory.getLogger(ClockJob.class);

    @Override
    public void execute(JobExecutionContext context) {
        try {
            ScheduleClock clock = QuartzSchedulers.bean(context, ScheduleClock.class);
            WorkQueue queue = QuartzSchedulers.bean(context, WorkQueue.class);
            clock.accountForWhatIsDue(context.getTrigger().getKey().getName(), queue::wakeThreadsFor);
        } catch (SchedulerException | RuntimeException e) {
            // The ticker accounts for it within half a minute.
            LOG.warn("due times not accounted for yet: {}", e.getMessage(), e);
        }
    }
}
