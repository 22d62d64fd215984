package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.watchdog.Facts.Threads;
import io.nightshift.scheduler.watchdog.Facts.Trigger;
import java.util.List;
import java.util.Optional;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.TriggerKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/** The two Quartz schedulers of this node, as the watchdog sees and mends them. */
final class Engine {

    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    private final List<Scheduler> schedulers;
    private final TransactionTemplate transaction;

    Engine(Scheduler clock, Scheduler work, TransactionTemplate transaction) {
        this.schedulers = List.of(clock, work);
        this.transaction = transaction;
    }

    List<Threads> threads() {
        return schedulers.stream().map(Engine::threads).toList();
    }

    private static Threads threads(Scheduler scheduler) {
        try {
            return new Threads(
                    scheduler.getSchedulerName(),
                    scheduler.getCurrentlyExecutingJobs().size(),
                    scheduler.getMetaData().getThreadPoolSize());
        } catch (SchedulerException e) {
            throw unreadable(e);
        }
    }

    /** Which of the schedulers takes nothing; empty when both do. */
    Optional<String> standing() {
        try {
            for (Scheduler scheduler : schedulers) {
                if (!scheduler.isStarted() || scheduler.isInStandbyMode() || scheduler.isShutdown()) {
                    return Optional.of("Quartz scheduler " + scheduler.getSchedulerName() + " is not started");
                }
            }
            return Optional.empty();
        } catch (SchedulerException e) {
            throw unreadable(e);
        }
    }

    /**
     * Takes away what will never fire. What it stood for is in the ledger: the clock arms its due times, the queue hands
     * its runs over again within half a minute.
     */
    void mend(List<Trigger> stuck) {
        for (Trigger trigger : stuck) {
            try {
                // Quartz itself would take away its parts one by one.
                transaction.executeWithoutResult(status -> takeAway(trigger));
                LOG.warn(
                        "trigger {} of Quartz scheduler {} stood in state {} since {}: taken away, to be made again",
                        trigger.name(),
                        trigger.scheduler(),
                        trigger.state(),
                        trigger.next());
            } catch (NightshiftException | TransactionException e) {
                LOG.warn("trigger {} not taken away: {}", trigger.name(), e.getMessage());
            }
        }
    }

    private void takeAway(Trigger trigger) {
        try {
            for (Scheduler scheduler : schedulers) {
                if (scheduler.getSchedulerName().equals(trigger.scheduler())) {
                    scheduler.unscheduleJob(TriggerKey.triggerKey(trigger.name(), trigger.group()));
                }
            }
        } catch (SchedulerException e) {
            throw new NightshiftException(FailureKind.POSTGRES_UNAVAILABLE, String.valueOf(e.getMessage()), null, e);
        }
    }

    private static NightshiftException unreadable(SchedulerException e) {
        return new NightshiftException(
                FailureKind.BUG, "a Quartz scheduler does not say how it is: " + e.getMessage(), null, e);
    }
}
