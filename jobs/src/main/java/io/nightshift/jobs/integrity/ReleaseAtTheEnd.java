package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.RunContext;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.listener.JobExecutionListener;

/** Gives the judged server back when the attempt ends, however it ends. */
record ReleaseAtTheEnd(RunContext run, Judgements judgements) implements JobExecutionListener {

    @Override
    public void afterJob(JobExecution execution) {
        judgements.end(run.id());
    }
}
