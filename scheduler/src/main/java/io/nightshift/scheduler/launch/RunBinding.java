package io.nightshift.scheduler.launch;

import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunHistory;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.slf4j.MDC;
import org.springframework.batch.core.ExitStatus;
import org.springframework.batch.core.job.AbstractJob;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.listener.JobExecutionListener;
import org.springframework.batch.core.listener.StepExecutionListener;
import org.springframework.batch.core.step.AbstractStep;
import org.springframework.batch.core.step.StepExecution;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;

/**
 * Ties every execution of Spring Batch to its run, so that no job configuration has to: the run's memory and report live
 * in the job execution context, the attempt knows its execution, log lines carry the step.
 */
public final class RunBinding implements BeanPostProcessor, JobExecutionListener, StepExecutionListener {

    private final ObjectProvider<ActiveRuns> active;
    private final ObjectProvider<Ledger> ledger;
    private final Supplier<ScheduledExecutorService> timeLimits;

    public RunBinding(
            ObjectProvider<ActiveRuns> active,
            ObjectProvider<Ledger> ledger,
            Supplier<ScheduledExecutorService> timeLimits) {
        this.active = active;
        this.ledger = ledger;
        this.timeLimits = timeLimits;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        if (bean instanceof AbstractJob job) {
            job.registerJobExecutionListener(this);
        } else if (bean instanceof AbstractStep step) {
            step.registerStepExecutionListener(this);
        }
        return bean;
    }

    @Override
    public void beforeJob(JobExecution execution) {
        Long run = execution.getJobParameters().getLong("run");
        if (run != null) {
            ActiveRun worked = active.getObject().get(new RunId(run));
            worked.bind(execution);
            ledger.getObject().executes(worked.id(), worked.lease(), execution.getId());
        }
    }

    @Override
    public void beforeStep(StepExecution step) {
        MDC.put("step", step.getStepName());
        Long run = step.getJobExecution().getJobParameters().getLong("run");
        if (run != null) {
            active.getObject().get(new RunId(run)).stepBegins(step.getStepName(), timeLimits.get());
        }
    }

    @Override
    public ExitStatus afterStep(StepExecution step) {
        MDC.remove("step");
        Long run = step.getJobExecution().getJobParameters().getLong("run");
        if (run != null) {
            ActiveRun worked = active.getObject().get(new RunId(run));
            worked.stepEnds();
            remember(step, worked.progress());
        }
        return step.getExitStatus();
    }

    /** How much the step has done, in its execution context: history shows it beside the step's times. */
    private static void remember(StepExecution step, Progress progress) {
        Progress.Snapshot done = progress.snapshot();
        if (done.done() > 0) {
            step.getExecutionContext().putString(RunHistory.STEP_DONE, done.done() + " " + done.unit());
        } else {
            step.getExecutionContext().remove(RunHistory.STEP_DONE);
        }
        progress.end();
    }
}
