package io.nightshift.scheduler.ledger;

import io.nightshift.scheduler.ledger.JobPast.Cursor;
import io.nightshift.scheduler.ledger.JobPast.Present;
import io.nightshift.scheduler.schedule.MissedRule;
import io.nightshift.scheduler.schedule.PlannedJob;
import io.nightshift.scheduler.schedule.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A job with due times, on one cluster.
 *
 * @param request what each due time asks for
 * @param offset each due time begins this much later, so that a herd of them is spread
 */
public record ScheduledJob(LaunchRequest request, Schedule schedule, MissedRule missed, Duration offset) {

    public String job() {
        return request.job();
    }

    public String cluster() {
        return request.cluster();
    }

    /** With what is known of its past. */
    public PlannedJob planned(@Nullable JobPast past, Function<Instant, Optional<String>> paused) {
        JobPast known = past == null ? JobPast.unknown(job(), cluster()) : past;
        Cursor cursor = known.cursor();
        Present present = known.present();
        return new PlannedJob(
                job(),
                request.jobType(),
                cluster(),
                schedule,
                missed,
                offset,
                paused,
                known.usual(),
                cursor == null || !cursor.schedule().equals(schedule.text()) ? null : cursor.accountedUntil(),
                present == null || present.state() != RunState.RUNNING ? null : present.waitsSince(),
                known.lastSuccess());
    }
}
