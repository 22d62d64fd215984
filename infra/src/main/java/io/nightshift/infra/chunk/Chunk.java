package io.nightshift.infra.chunk;

import org.jspecify.annotations.Nullable;

/**
 * One part of a run's work.
 *
 * @param number its own within the run; they grow in the order of the plan
 * @param work what is to be done, as its job has written it
 * @param outcome what came of it, as its job has written it; null until it is finished
 */
public record Chunk(int number, String work, @Nullable String outcome) {

    public boolean isFinished() {
        return outcome != null;
    }
}
