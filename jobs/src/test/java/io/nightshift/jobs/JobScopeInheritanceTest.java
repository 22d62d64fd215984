package io.nightshift.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.StepThreads;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.job.JobInstance;
import org.springframework.batch.core.job.parameters.JobParameters;
import org.springframework.batch.core.scope.context.JobContext;
import org.springframework.batch.core.scope.context.JobSynchronizationManager;

class JobScopeInheritanceTest {

    private static JobExecution seenByAnotherThread() throws InterruptedException {
        var seen = new AtomicReference<JobExecution>();
        StepThreads.named("beside")
                .start(() -> {
                    JobContext context = JobSynchronizationManager.getContext();
                    seen.set(context == null ? null : context.getJobExecution());
                })
                .join();
        return seen.get();
    }

    @Test
    void a_thread_beside_a_step_sees_the_run_of_the_step_as_long_as_it_works() throws Exception {
        var execution = new JobExecution(1, new JobInstance(1, "job"), new JobParameters());
        JobSynchronizationManager.register(execution);
        try {
            assertThat(seenByAnotherThread()).isSameAs(execution);
            assertThat(JobSynchronizationManager.getContext()).isNotNull();
        } finally {
            JobSynchronizationManager.close();
        }

        assertThat(seenByAnotherThread()).isNull();
    }
}
