package io.nightshift.jobs.proof;

import io.nightshift.infra.run.RunContext;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.listener.JobExecutionListener;

/** Throws the copy away of an attempt whose last step was not reached: it failed, or was stopped. */
record DiscardAtTheEnd(RunContext run, TestedCopies tested) implements JobExecutionListener {

    @Override
    public void afterJob(JobExecution execution) {
        tested.discard(run.id());
    }
}
