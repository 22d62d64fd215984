package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunId;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.springframework.batch.core.BatchStatus;
import org.springframework.batch.core.job.Job;
import org.springframework.batch.core.job.JobExecution;
import org.springframework.batch.core.job.JobExecutionException;
import org.springframework.batch.core.job.JobInstance;
import org.springframework.batch.core.job.parameters.JobParameters;
import org.springframework.batch.core.job.parameters.JobParametersBuilder;
import org.springframework.batch.core.launch.JobOperator;
import org.springframework.batch.core.repository.JobRepository;

/**
 * Spring Batch's side of a run: one JobInstance whose only identifying parameter is the run. Call it only under the run's
 * lease: Spring Batch itself lets concurrent restarts of one instance run several times at once.
 */
public final class BatchJobs {

    private final Map<String, Job> jobsByType;
    private final JobOperator operator;
    private final JobRepository repository;

    public BatchJobs(Map<String, Job> jobsByType, JobOperator operator, JobRepository repository) {
        this.jobsByType = jobsByType;
        this.operator = operator;
        this.repository = repository;
    }

    /**
     * Starts the instance of this run, or goes on where its last execution failed or died. An instance that has already
     * completed is returned as it is: its process died between Spring Batch's last word and the ledger's.
     */
    JobExecution execute(RunId run, String jobType) {
        Job job = jobsByType.get(jobType);
        if (job == null) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "job type " + jobType + " is not known to this version",
                    "known: "
                            + String.join(
                                    ", ", jobsByType.keySet().stream().sorted().toList()));
        }
        JobParameters parameters =
                new JobParametersBuilder().addLong("run", run.number(), true).toJobParameters();
        JobInstance instance = repository.getJobInstance(job.getName(), parameters);
        if (instance != null) {
            List<JobExecution> executions = repository.getJobExecutions(instance);
            if (executions.isEmpty()) {
                // The process died between the two transactions of a launch; such an instance could never be started.
                repository.deleteJobInstance(instance);
            } else {
                JobExecution last = executions.stream()
                        .max(Comparator.comparingLong(JobExecution::getId))
                        .orElseThrow();
                if (last.getStatus() == BatchStatus.COMPLETED) {
                    return last;
                }
                recover(last);
            }
        }
        CrashPoint.reach("launch.before-start");
        try {
            return operator.start(job, parameters);
        } catch (JobExecutionException e) {
            throw new NightshiftException(FailureKind.BUG, "run " + run + " not started: " + e.getMessage(), null, e);
        }
    }

    private void recover(JobExecution last) {
        if (last.getStatus() == BatchStatus.UNKNOWN) {
            last.setStatus(BatchStatus.FAILED);
            repository.update(last);
        } else if (last.isRunning() || last.getStatus().isRunning()) {
            operator.recover(last);
        }
    }
}
