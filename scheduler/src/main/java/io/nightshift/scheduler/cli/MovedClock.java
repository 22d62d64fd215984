package io.nightshift.scheduler.cli;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;

/** A clock that is behind another one, as far as it was last moved. Thread-safe. */
final class MovedClock extends Clock {

    private final Clock clock;
    private volatile Duration behind = Duration.ZERO;

    MovedClock(Clock clock) {
        this.clock = clock;
    }

    void moveBehind(Duration other) {
        behind = other;
    }

    @Override
    public Instant instant() {
        return clock.instant().minus(behind);
    }

    @Override
    public ZoneId getZone() {
        return clock.getZone();
    }

    @Override
    public Clock withZone(ZoneId zone) {
        MovedClock other = new MovedClock(clock.withZone(zone));
        other.moveBehind(behind);
        return other;
    }
}
