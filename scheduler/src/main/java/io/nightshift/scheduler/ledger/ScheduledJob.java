package io.nightshift.scheduler.ledger;

import io.nightshift.scheduler.schedule.MissedRule;
import io.nightshift.scheduler.schedule.Schedule;
import java.time.Duration;

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
}
