package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.DueTimes;
import io.nightshift.scheduler.ledger.ScheduledJob;
import java.time.Clock;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quartz.JobBuilder;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Accounts for due times: when a trigger of the Quartz scheduler {@code clock} fires, and every half minute in case one
 * was lost. Both do the same: one short transaction opens a run for every due time since the job's cursor, moves the
 * cursor, and arms one one-shot trigger at the next due time.
 */
public final class ScheduleClock {

    static final String JOB = "job";
    static final String CLUSTER = "cluster";
    /** The group of the triggers of due times. */
    public static final String GROUP = "due";

    private static final Logger LOG = LoggerFactory.getLogger(ScheduleClock.class);

    private final ConfiguredJobs jobs;
    private final DueTimes dueTimes;
    private final Scheduler quartz;
    private final TransactionTemplate transaction;
    private final Clock clock;

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

    /** Accounts for every scheduled job; one that fails does not keep the others from their due times. */
    public void accountForAll() {
        for (ScheduledJob scheduled : jobs.scheduled()) {
            try {
                account(scheduled);
            } catch (RuntimeException e) {
                LOG.warn(
                        "due times of {} on {} not accounted for yet: {}",
                        scheduled.job(),
                        scheduled.cluster(),
                        e.getMessage());
            }
        }
    }

    /** Accounts for one job on one cluster; returns what is to be worked now. */
    List<RunId> account(String job, String cluster) {
        return jobs.scheduled().stream()
                .filter(scheduled ->
                        scheduled.job().equals(job) && scheduled.cluster().equals(cluster))
                .findFirst()
                .map(this::account)
                .orElse(List.of());
    }

    private List<RunId> account(ScheduledJob scheduled) {
        Instant now = clock.instant();
        List<RunId> queued = transaction.execute(status -> {
            List<RunId> opened = dueTimes.account(scheduled, now);
            reach("account.before-arm", opened);
            arm(scheduled, begin(scheduled, now));
            reach("account.before-commit", opened);
            return opened;
        });
        List<RunId> toWork = queued == null ? List.of() : queued;
        reach("account.after-commit", toWork);
        return toWork;
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
                                .usingJobData(JOB, scheduled.job())
                                .usingJobData(CLUSTER, scheduled.cluster())
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
