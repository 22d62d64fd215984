package io.nightshift.scheduler.ledger;

import io.nightshift.scheduler.schedule.UsualDuration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger knows of a job on a cluster. Dry runs do not count.
 *
 * @param cursor null where no due time was ever accounted for
 * @param usual null before the first completed run
 * @param firstAsked when its oldest run was asked for; null where it has none
 * @param lastSuccess when its newest completed run ended
 * @param missed what was missed since then; null for nothing
 * @param present its queued or running run
 */
public record JobPast(
        String job,
        String cluster,
        @Nullable Cursor cursor,
        @Nullable UsualDuration usual,
        @Nullable Instant firstAsked,
        @Nullable Instant lastSuccess,
        @Nullable MissedTimes missed,
        @Nullable Present present) {

    /**
     * Up to when due times have become runs, under which schedule since when.
     *
     * @param schedule as {@link io.nightshift.scheduler.schedule.Schedule#text()} gives it
     */
    public record Cursor(String schedule, Instant inForceSince, Instant accountedUntil) {}

    /**
     * Due times that were missed.
     *
     * @param newest of them
     * @param reason of that one
     */
    public record MissedTimes(int count, Instant newest, String reason) {}

    /**
     * A run that has not ended.
     *
     * @param due null where it was asked for
     * @param waitsSince since when it could have begun; of a running one when it began
     * @param waitingFor why it has not begun, in plain words; null when nothing keeps it
     */
    public record Present(
            RunState state,
            long run,
            @Nullable Instant due,
            Instant waitsSince,
            @Nullable String waitingFor) {}

    /** Of a job that the ledger has never heard of. */
    static JobPast unknown(String job, String cluster) {
        return new JobPast(job, cluster, null, null, null, null, null, null);
    }
}
