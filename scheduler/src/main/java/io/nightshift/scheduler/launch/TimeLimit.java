package io.nightshift.scheduler.launch;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Does something once a time has passed, unless it is closed before. */
@FunctionalInterface
interface TimeLimit extends AutoCloseable {

    /** Never passes. */
    TimeLimit NONE = () -> {};

    static TimeLimit arm(ScheduledExecutorService timers, Duration limit, Runnable action) {
        ScheduledFuture<?> passed = timers.schedule(action, limit.toMillis(), TimeUnit.MILLISECONDS);
        return () -> passed.cancel(false);
    }

    @Override
    void close();
}
