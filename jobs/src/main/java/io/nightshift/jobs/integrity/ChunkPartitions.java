package io.nightshift.jobs.integrity;

import java.util.LinkedHashSet;
import java.util.Set;
import org.springframework.batch.core.partition.StepExecutionSplitter;
import org.springframework.batch.core.repository.JobRepository;
import org.springframework.batch.core.step.StepExecution;

/**
 * As many partitions as chunks are worked at the same time. They have nothing of their own, for what is done is in the book:
 * a restart begins new ones, whatever became of the old.
 */
record ChunkPartitions(JobRepository repository) implements StepExecutionSplitter {

    private static final String STEP = "checkChunks";

    @Override
    public String getStepName() {
        return STEP;
    }

    @Override
    public Set<StepExecution> split(StepExecution step, int gridSize) {
        Set<StepExecution> partitions = new LinkedHashSet<>();
        for (int number = 1; number <= gridSize; number++) {
            partitions.add(repository.createStepExecution(STEP + ":" + number, step.getJobExecution()));
        }
        return partitions;
    }
}
