package io.nightshift.scheduler.launch;

import io.nightshift.infra.config.Missed.Policy;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.DueTimes;
import io.nightshift.scheduler.ledger.ScheduledJob;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.quartz.JobBuilder;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Accounts for due times: when a trigger of the Quartz scheduler {@code clock} fires, and every half minute in case one
 * was lost. Both do the same: a short transaction opens a run for every due time since the cursors of some jobs, moves
 * the cursors, and arms one one-shot trigger for each job at its next due time.
 */
public final class ScheduleClock {

    /** The group of the triggers of due times. */
    public static final String GROUP = "due";

    /** So many jobs are accounted for in one transaction. */
    private static final int AT_ONCE = 25;

    private static final Logger LOG = LoggerFactory.getLogger(ScheduleClock.class);

    private final ConfiguredJobs jobs;
    private final DueTimes dueTimes;
    private final Scheduler quartz;
    private final TransactionTemplate transaction;
    private final Clock clock;
    /** When each trigger is to fire next, as this process knows it, by its name. */
    private final Map<String, Instant> next = new ConcurrentHashMap<>();
    /** Two threads of this process would only wait for each other in the database. */
    private final ReentrantLock alone = new ReentrantLock();

    public ScheduleClock(
            ConfiguredJobs jobs, DueTimes dueTimes, Scheduler quartz, TransactionTemplate transaction, Clock clock) {
        this.jobs = jobs;
        this.dueTimes = dueTimes;
        this.quartz = quartz;
        this.transaction = transaction;
        this.clock = clock;
    }

    /** The name of the trigger that stands at the next due time of a job. */
    public static String triggerName(ScheduledJob scheduled) {
        return scheduled.job() + "@" + scheduled.cluster();
    }

    /** Accounts for every scheduled job, and arms again what Quartz has lost. */
    public void accountForAll() {
        account(jobs.scheduled(), queued -> {});
    }

    /** Accounts for what is due although no trigger has fired, and where missed due times take their turns. */
    void accountForWhatIsDue() {
        account(
                jobs.scheduled().stream()
                        .filter(job -> isDue(job) || job.missed().policy() == Policy.ALL)
                        .toList(),
                queued -> {});
    }

    /**
     * Accounts for the job of a trigger that has fired, and for all others whose next due time has come: in one go, however
     * many they are.
     *
     * @param handOver takes what is to be worked now, some at a time
     */
    void accountForWhatIsDue(String fired, Consumer<List<RunId>> handOver) {
        List<ScheduledJob> due = jobs.scheduled().stream()
                // Quartz may fire a trigger two milliseconds early; it has to be armed again then.
                .filter(job -> triggerName(job).equals(fired) || isDue(job))
                .toList();
        account(due, handOver);
    }

    private boolean isDue(ScheduledJob job) {
        return !next.getOrDefault(triggerName(job), Instant.MIN).isAfter(clock.instant());
    }

    private void account(List<ScheduledJob> scheduled, Consumer<List<RunId>> handOver) {
        for (int from = 0; from < scheduled.size(); from += AT_ONCE) {
            handOver.accept(accountTogether(scheduled.subList(from, Math.min(from + AT_ONCE, scheduled.size()))));
        }
    }

    /** In one transaction; one job that fails does not keep the others from their due times. */
    private List<RunId> accountTogether(List<ScheduledJob> some) {
        try {
            return inOneTransaction(some);
        } catch (RuntimeException e) {
            if (e instanceof TransactionException
                    || (e instanceof NightshiftException own && own.kind().isTransient())) {
                // The control database or Quartz is away: it would be for each of the others too.
                throw e;
            }
            if (some.size() > 1) {
                return some.stream()
                        .flatMap(one -> accountTogether(List.of(one)).stream())
                        .toList();
            }
            LOG.warn(
                    "due times of {} on {} not accounted for yet: {}",
                    some.get(0).job(),
                    some.get(0).cluster(),
                    e.getMessage());
            return List.of();
        }
    }

    private List<RunId> inOneTransaction(List<ScheduledJob> some) {
        alone.lock();
        try {
            Instant now = clock.instant();
            List<RunId> queued = transaction.execute(status -> accounted(some, now));
            some.forEach(scheduled ->
                    next.put(triggerName(scheduled), begin(scheduled, now).orElse(Instant.MAX)));
            List<RunId> toWork = queued == null ? List.of() : queued;
            reach("account.after-commit", toWork);
            return toWork;
        } finally {
            alone.unlock();
        }
    }

    /** All cursors before the first trigger, so that two nodes take their locks in the same order. */
    private List<RunId> accounted(List<ScheduledJob> some, Instant now) {
        List<RunId> opened = new ArrayList<>();
        some.forEach(scheduled -> opened.addAll(dueTimes.account(scheduled, now)));
        reach("account.before-arm", opened);
        some.forEach(scheduled -> arm(scheduled, begin(scheduled, now)));
        reach("account.before-commit", opened);
        return opened;
    }

    private static void reach(String crashPoint, List<RunId> opened) {
        if (!opened.isEmpty()) {
            CrashPoint.reach(crashPoint);
        }
    }

    private static Optional<Instant> begin(ScheduledJob scheduled, Instant now) {
        return scheduled
                .schedule()
                .next(now.minus(scheduled.offset()))
                .map(due -> due.at().plus(scheduled.offset()));
    }

    private void arm(ScheduledJob scheduled, Optional<Instant> next) {
        TriggerKey key = TriggerKey.triggerKey(triggerName(scheduled), GROUP);
        try {
            Trigger armed = quartz.getTrigger(key);
            if (next.isEmpty()) {
                quartz.unscheduleJob(key);
            } else if (armed == null) {
                quartz.scheduleJob(
                        JobBuilder.newJob(ClockJob.class)
                                .withIdentity(key.getName(), GROUP)
                                .build(),
                        Set.of(at(key, next.get())),
                        true);
            } else if (!next.get().equals(armed.getStartTime().toInstant())) {
                quartz.rescheduleJob(key, at(key, next.get()));
            }
        } catch (SchedulerException e) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    "next due time of " + key.getName() + " not armed: " + e.getMessage(),
                    null,
                    e);
        }
    }

    private static Trigger at(TriggerKey key, Instant due) {
        return TriggerBuilder.newTrigger()
                .withIdentity(key)
                .forJob(key.getName(), GROUP)
                .startAt(Date.from(due))
                .build();
    }
}
