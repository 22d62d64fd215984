package io.nightshift.scheduler.launch;

import io.nightshift.infra.restore.RestoredCopies;
import java.time.Clock;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Throws restored copies away whose time is over, and what killed processes have left of them: at the start, then often. */
public final class CopySweep {

    private static final Logger LOG = LoggerFactory.getLogger(CopySweep.class);
    private static final int EVERY_SECONDS = 30;

    private final RestoredCopies copies;
    private final Clock clock;

    public CopySweep(RestoredCopies copies, Clock clock) {
        this.copies = copies;
        this.clock = clock;
    }

    public void start(ScheduledExecutorService timers) {
        Future<?> unused = timers.scheduleWithFixedDelay(this::sweep, 0, EVERY_SECONDS, TimeUnit.SECONDS);
    }

    private void sweep() {
        try {
            copies.sweep(clock.instant())
                    .forEach(copy -> LOG.info("restored copy {} {}: it is removed", copy.name(), copy.reason()));
        } catch (RuntimeException e) {
            LOG.warn("restored copies not looked after this time: {}", e.getMessage());
        }
    }
}
