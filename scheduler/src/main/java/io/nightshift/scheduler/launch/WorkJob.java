package io.nightshift.scheduler.launch;

import io.nightshift.infra.run.RunId;
import org.quartz.Job;
import org.quartz.JobExecutionContext;
import org.quartz.JobExecutionException;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Quartz's side of a run: its thread works it. */
public final class WorkJob implements Job {

    private static final Logger LOG = LoggerFactory.getLogger(WorkJob.class);

    @Override
    public void execute(JobExecutionContext context) throws JobExecutionException {
        RunId run = new RunId(context.getMergedJobDataMap().getLongValueFromString(WorkQueue.RUN));
        try {
            QuartzSchedulers.bean(context, RunWorker.class).work(run);
        } catch (SchedulerException | RuntimeException e) {
            // The ledger still says that the run is queued or running: the ticker hands it over again.
            LOG.warn("run {} not worked: {}", run, e.getMessage(), e);
        }
    }
}
