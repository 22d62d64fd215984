package io.nightshift.jobs;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.job.JobInstance;
import org.springframework.batch.core.job.parameters.JobParameters;
import org.springframework.batch.core.repository.support.ResourcelessJobRepository;
import org.springframework.batch.core.step.StepExecution;
import org.springframework.batch.infrastructure.item.ExecutionContext;

/** Keeps the executions of one job instance in memory, so that a restart finds the steps that are done. */
final class RestartableJobRepository extends ResourcelessJobRepository {

    private final List<JobExecution> executions = new ArrayList<>();

    @Override
    public JobExecution createJobExecution(JobInstance instance, JobParameters parameters, ExecutionContext context) {
        // The superclass gives all executions one number, and a step of the same execution is never skipped.
        var execution = new JobExecution(executions.size() + 1L, instance, parameters);
        execution.setExecutionContext(context);
        executions.add(execution);
        return execution;
    }

    @Override
    public StepExecution getLastStepExecution(JobInstance instance, String step) {
        return executionsOf(step).stream()
                .max(Comparator.comparingLong(StepExecution::getId))
                .orElse(null);
    }

    @Override
    public long getStepExecutionCount(JobInstance instance, String step) {
        return executionsOf(step).size();
    }

    private List<StepExecution> executionsOf(String step) {
        return executions.stream()
                .flatMap(execution -> execution.getStepExecutions().stream())
                .filter(execution -> execution.getStepName().equals(step))
                .toList();
    }
}
