package io.nightshift.scheduler.launch;

import org.quartz.Job;
import org.quartz.JobExecutionContext;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Quartz's side of a run: its thread works what comes next. */
public final class WorkJob implements Job {

    private static final Logger LOG = LoggerFactory.getLogger(WorkJob.class);

    @Override
    public void execute(JobExecutionContext context) {
        try {
            QuartzSchedulers.bean(context, RunWorker.class).workWhatComesNext();
        } catch (SchedulerException | RuntimeException e) {
            // The ledger still says what is queued or running: the ticker hands it over again.
            LOG.warn("runs not worked for now: {}", e.getMessage(), e);
        }
    }
}
