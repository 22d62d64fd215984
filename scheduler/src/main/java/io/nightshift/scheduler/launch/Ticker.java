package io.nightshift.scheduler.launch;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Mends what gets lost between ledger, Quartz and Spring Batch: every half minute it accounts for due times, often
 * it looks for runs whose process died, and every second it hands over what may begin.
 */
public final class Ticker implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Ticker.class);

    private final ScheduleClock clock;
    private final WorkQueue queue;
    private final ContinuousRuns continuous;
    private final Chains chains;
    private final Recovery recovery;
    private final ScheduledExecutorService timers;
    private volatile boolean running;

    public Ticker(
            ScheduleClock clock,
            WorkQueue queue,
            ContinuousRuns continuous,
            Chains chains,
            Recovery recovery,
            ScheduledExecutorService timers) {
        this.clock = clock;
        this.queue = queue;
        this.continuous = continuous;
        this.chains = chains;
        this.recovery = recovery;
        this.timers = timers;
    }

    @Override
    public void start() {
        running = true;
        every(30, guarded("due times", clock::accountForWhatIsDue));
        every(300, guarded("triggers", clock::accountForAll));
        // Often, because a silent process counts as dead only after an unbroken watch over its heartbeat.
        every(5, guarded("recovery", recovery::resume));
        every(1, guarded("queue", queue::carryWhatMayBegin));
        every(1, guarded("continuous jobs", continuous::ask));
        every(1, guarded("chains", chains::follow));
    }

    private void every(int seconds, Runnable work) {
        Future<?> unused = timers.scheduleWithFixedDelay(work, 0, seconds, TimeUnit.SECONDS);
    }

    private Runnable guarded(String what, Runnable work) {
        return () -> {
            if (!running) {
                return;
            }
            try {
                work.run();
            } catch (RuntimeException e) {
                LOG.warn("{} not looked after this time: {}", what, e.getMessage());
            }
        };
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
