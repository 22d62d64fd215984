package io.nightshift.scheduler.ledger;

import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.Retry;
import io.nightshift.infra.config.Schedule;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a run is carried out.
 *
 * @param timeLimit a run is stopped after it; null for none
 * @param stepLimit the same for each of its steps; null for none
 * @param attempts it gets by itself when it fails for a reason that may pass
 * @param pause before the second attempt; doubled each time
 * @param longestPause between two attempts
 * @param priority 1 to 10: of two waiting runs the higher one begins first
 * @param exclusive groups; of all runs that share one, one works at a time
 * @param continuous whether it never ends by nature: it gets a thread of its own, and ends its day so that the next one
 *     goes on
 */
public record RunTerms(
        @Nullable Duration timeLimit,
        @Nullable Duration stepLimit,
        int attempts,
        Duration pause,
        Duration longestPause,
        int priority,
        List<String> exclusive,
        boolean continuous) {

    /** So often a run is gone on with whose process died under it; then it may be what kills the process. */
    private static final int MOST_LOSSES = 3;

    /** For what somebody asks for and waits for: one attempt, no limit. */
    public static final RunTerms ON_DEMAND =
            new RunTerms(null, null, 1, Duration.ofMinutes(2), Duration.ofMinutes(30), 5, List.of(), false);

    public RunTerms {
        exclusive = exclusive == null ? List.of() : List.copyOf(exclusive);
    }

    public static RunTerms of(JobConfig job) {
        JobConfig.Running running = job.running();
        Retry retry = running.retry();
        return new RunTerms(
                running.timeout(),
                running.stepTimeout(),
                retry.attempts(),
                retry.pause(),
                retry.longestPause(),
                running.priority(),
                running.exclusive(),
                job.schedule() instanceof Schedule.Continuous);
    }

    static RunTerms read(String json) {
        return Objects.requireNonNullElse(Json.readLeniently(json, RunTerms.class), ON_DEMAND);
    }

    /** How long a run waits for its next attempt after so many failed ones; empty when it has had all of them. */
    public Optional<Duration> pauseAfter(int failed) {
        return failed >= attempts ? Optional.empty() : Optional.of(pauseBefore(failed));
    }

    /** How long whatever goes on after so many failures in a row waits. */
    public Duration pauseBefore(int failures) {
        return new Retry(attempts, pause, longestPause).pauseAfter(failures);
    }

    /** Whether a run goes on after its process died under it so many times. */
    public boolean goesOnAfterLosses(int losses) {
        return losses < MOST_LOSSES;
    }

    /** The same with another limit, if there is one. */
    public RunTerms limited(@Nullable Duration limit) {
        return limit == null
                ? this
                : new RunTerms(limit, stepLimit, attempts, pause, longestPause, priority, exclusive, continuous);
    }

    /** The same with one attempt and an end of its own: whoever asked is there to ask again. */
    public RunTerms once() {
        return new RunTerms(timeLimit, stepLimit, 1, pause, longestPause, priority, exclusive, false);
    }
}
