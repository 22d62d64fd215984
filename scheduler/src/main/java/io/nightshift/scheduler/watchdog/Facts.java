package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.Expectation;
import io.nightshift.scheduler.ledger.JobPast;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.schedule.UsualDuration;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All that the judges know.
 *
 * @param now by this node's clock, by which due times count
 * @param databaseNow by the control database's clock, by which the ages of its rows count
 * @param watchingSince when this process began to look
 */
record Facts(
        Instant now,
        Instant databaseNow,
        Instant watchingSince,
        List<OfJob> jobs,
        List<Working> working,
        List<Trigger> triggers,
        OfNode node) {

    /**
     * A job on one cluster.
     *
     * @param scheduled null when it has no due times of its own
     * @param paused why it was paused at a time, or empty
     */
    record OfJob(
            String job,
            String cluster,
            Expectation expectation,
            @Nullable ScheduledJob scheduled,
            Function<Instant, Optional<String>> paused,
            JobPast past) {

        String subject() {
            return job + " on " + cluster;
        }
    }

    /**
     * A run that works.
     *
     * @param idle since its progress last changed
     * @param endless whether it never ends by nature, and may have nothing to do
     * @param owner who holds its lease; null when nobody does
     * @param silent since its owner was last heard; null when the owner is not among the nodes
     */
    record Working(
            long run,
            String job,
            String cluster,
            String step,
            Duration elapsed,
            Duration idle,
            Duration progressWithin,
            boolean endless,
            @Nullable UsualDuration usual,
            @Nullable String owner,
            @Nullable Duration silent) {}

    /**
     * A trigger of Quartz.
     *
     * @param fired whether Quartz has a row for its firing
     */
    record Trigger(String scheduler, String group, String name, String state, Instant next, boolean fired) {}

    /**
     * What only this node knows of itself.
     *
     * @param skew how far its clock is ahead of the control database's, beyond what the measuring takes
     * @param ping why the dead-man ping does not arrive; null when it does, or none is wanted
     */
    record OfNode(
            String name,
            Duration skew,
            ClockWatch.Observation clock,
            List<Threads> threads,
            @Nullable String ping) {}

    /** The threads of a scheduler. */
    record Threads(String scheduler, int busy, int size) {

        boolean areExhausted() {
            return busy >= size;
        }
    }
}
