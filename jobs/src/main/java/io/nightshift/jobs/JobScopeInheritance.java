package io.nightshift.jobs;

import io.nightshift.infra.run.StepThreads;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.scope.context.JobContext;
import org.springframework.batch.core.scope.context.JobSynchronizationManager;

/**
 * Lets threads beside a step's own reach what is in the scope of its job: the run. Without it every call of the run there
 * would fail, because Spring Batch ties the scope to the step's thread.
 */
public final class JobScopeInheritance implements StepThreads.Inheritance {

    @Override
    public Runnable inherited(Runnable work) {
        JobContext context = JobSynchronizationManager.getContext();
        if (context == null) {
            return work;
        }
        JobExecution execution = context.getJobExecution();
        return () -> {
            JobSynchronizationManager.register(execution);
            try {
                work.run();
            } finally {
                JobSynchronizationManager.close();
            }
        };
    }
}
