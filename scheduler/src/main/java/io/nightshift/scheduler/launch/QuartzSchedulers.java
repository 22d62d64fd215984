package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.List;
import java.util.Objects;
import org.quartz.JobExecutionContext;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.springframework.context.SmartLifecycle;

/** Starts the two schedulers once their jobs, which Quartz makes itself, can find what they need. */
public final class QuartzSchedulers implements SmartLifecycle {

    private final Scheduler clock;
    private final Scheduler work;
    private final List<Object> beans;

    public QuartzSchedulers(Scheduler clock, Scheduler work, Object... beans) {
        this.clock = clock;
        this.work = work;
        this.beans = List.of(beans);
    }

    static <T> T bean(JobExecutionContext context, Class<T> type) throws SchedulerException {
        return type.cast(
                Objects.requireNonNull(context.getScheduler().getContext().get(type.getName()), type.getName()));
    }

    @Override
    public void start() {
        try {
            for (Object bean : beans) {
                clock.getContext().put(bean.getClass().getName(), bean);
                work.getContext().put(bean.getClass().getName(), bean);
            }
            work.start();
            clock.start();
        } catch (SchedulerException e) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE, "schedulers not started: " + e.getMessage(), null, e);
        }
    }

    /** Takes nothing new; what works goes on. */
    @Override
    public void stop() {
        try {
            clock.standby();
            work.standby();
        } catch (SchedulerException e) {
            throw new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE, "schedulers not stopped: " + e.getMessage(), null, e);
        }
    }

    @Override
    public boolean isRunning() {
        try {
            return work.isStarted() && !work.isInStandbyMode();
        } catch (SchedulerException e) {
            return false;
        }
    }
}
