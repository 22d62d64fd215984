package io.nightshift.jobs.wal;

import io.nightshift.infra.run.Cancellation;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Pauses between attempts to stream: from 250 ms on each is twice as long as the last, up to 10 s. */
final class Pause {

    private static final Duration FIRST = Duration.ofMillis(250);
    private static final Duration LONGEST = Duration.ofSeconds(10);
    private static final Duration TICK = Duration.ofMillis(100);

    private Duration next = FIRST;

    /** How long the next one takes. */
    Duration next() {
        return next;
    }

    /** Something went well: the next one is short again. */
    void reset() {
        next = FIRST;
    }

    /** Waits, while nothing asks to stop. */
    void await(Cancellation cancellation, BooleanSupplier goesOn) {
        long until = System.nanoTime() + next.toNanos();
        next = next.multipliedBy(2).compareTo(LONGEST) > 0 ? LONGEST : next.multipliedBy(2);
        while (System.nanoTime() - until < 0 && goesOn.getAsBoolean()) {
            cancellation.check();
            LockSupport.parkNanos(TICK.toNanos());
        }
    }
}
