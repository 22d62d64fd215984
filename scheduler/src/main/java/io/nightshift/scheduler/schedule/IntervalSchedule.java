package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Due again and again after the same time, counted from an anchor: the clocks of no zone matter, and every Nightshift
 * node finds the same due times.
 */
public final class IntervalSchedule implements Schedule {

    private final Duration every;
    private final Instant anchor;

    /**
     * Counts from an anchor.
     *
     * @param every one second or more
     */
    public IntervalSchedule(Duration every, Instant anchor) {
        this.every = every;
        this.anchor = anchor;
    }

    @Override
    public Optional<DueTime> next(Instant after) {
        long step = every.toMillis();
        long passed = Math.floorDiv(Duration.between(anchor, after).toMillis(), step);
        return Optional.of(DueTime.at(anchor.plusMillis((passed + 1) * step)));
    }

    @Override
    public String text() {
        return "every " + Durations.print(every) + " from " + anchor;
    }
}
