package io.nightshift.scheduler.watchdog;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Compares the clock on the wall with the time that really passed between two looks. Both a jump of the clock and a long
 * time without a look are remembered for a while, so that people see them.
 */
final class ClockWatch {

    /** Less is how network time corrects a clock. */
    static final Duration JUMP = Duration.ofSeconds(5);
    /** Looks are much closer together. */
    static final Duration ABSENCE = Duration.ofMinutes(1);

    private static final Duration REMEMBERED = Duration.ofMinutes(10);

    /**
     * What was seen lately.
     *
     * @param jump how far the clock jumped forward, negative for back; null for not at all
     * @param absence how long nobody looked; null when somebody always did
     */
    record Observation(@Nullable Duration jump, @Nullable Duration absence) {}

    private final Clock clock;
    private final LongSupplier nanoTime;

    private @Nullable Instant lastWall;
    private long lastNanos;
    private @Nullable Duration jump;
    private long jumpedAt;
    private @Nullable Duration absence;
    private long absentAt;

    ClockWatch(Clock clock, LongSupplier nanoTime) {
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    /** To be called at each look that succeeds. */
    Observation observe() {
        Instant wall = clock.instant();
        long nanos = nanoTime.getAsLong();
        if (lastWall != null) {
            Duration passed = Duration.ofNanos(nanos - lastNanos);
            Duration shown = Duration.between(lastWall, wall);
            if (shown.minus(passed).abs().compareTo(JUMP) > 0) {
                jump = shown.minus(passed);
                jumpedAt = nanos;
            }
            if (passed.compareTo(ABSENCE) > 0) {
                absence = passed;
                absentAt = nanos;
            }
        }
        lastWall = wall;
        lastNanos = nanos;
        return new Observation(lately(jump, jumpedAt, nanos), lately(absence, absentAt, nanos));
    }

    private static @Nullable Duration lately(@Nullable Duration seen, long at, long nanos) {
        return nanos - at <= REMEMBERED.toNanos() ? seen : null;
    }
}
