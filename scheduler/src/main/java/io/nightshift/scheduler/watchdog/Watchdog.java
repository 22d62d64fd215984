package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.JobConfig;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.quartz.Scheduler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Looks every ten seconds, on every Nightshift node that serves: one transaction reads the facts and writes what is wrong.
 * It disturbs nothing: a look that fails is only logged.
 */
public final class Watchdog {

    private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);
    private static final int EVERY_SECONDS = 10;

    /**
     * What this node saw last.
     *
     * @param at by its clock
     */
    public record Sight(Instant at, List<Condition> conditions) {}

    private final String node;
    private final FactReader facts;
    private final Conditions conditions;
    private final TransactionTemplate transaction;
    private final Engine engine;
    private final ClockWatch clockWatch;
    private final Turning turning = new Turning(System::nanoTime);
    private volatile @Nullable Sight sight;
    private volatile Supplier<@Nullable String> pingFailure = () -> null;

    public Watchdog(
            String node,
            Map<String, JobConfig> jobs,
            ConfiguredJobs configured,
            DataSource controlDatabase,
            TransactionTemplate transaction,
            Scheduler clockScheduler,
            Scheduler workScheduler,
            Clock clock) {
        this.node = node;
        this.facts = new FactReader(controlDatabase, jobs, configured, clock);
        this.conditions = new Conditions(controlDatabase);
        this.transaction = transaction;
        this.engine = new Engine(clockScheduler, workScheduler, transaction);
        this.clockWatch = new ClockWatch(clock, System::nanoTime);
    }

    /** Begins to look once the first due times are armed. */
    public void start(ScheduledExecutorService timers, @Nullable DeadMan deadMan) {
        if (deadMan != null) {
            pingFailure = deadMan::failure;
            deadMan.start(timers, this::whyNotTurning);
        }
        Future<?> unused = timers.scheduleWithFixedDelay(
                () -> {
                    try {
                        look();
                    } catch (RuntimeException e) {
                        LOG.warn("watchdog has not looked this time: {}", e.getMessage());
                    }
                },
                EVERY_SECONDS,
                EVERY_SECONDS,
                TimeUnit.SECONDS);
    }

    /** Looks once. */
    public synchronized Sight look() {
        Look look = Objects.requireNonNull(transaction.execute(status -> {
            conditions.lock();
            Facts read = facts.read(times ->
                    new Facts.OfNode(node, times.skew(), clockWatch.observe(), engine.threads(), pingFailure.get()));
            List<Condition> wrong = Judge.conditions(read);
            conditions.record(wrong, node, read.now());
            return new Look(read, wrong);
        }));
        engine.mend(EngineJudge.stuck(look.facts()));
        turning.looked(look.facts(), engine.standing());
        Sight now = new Sight(look.facts().now(), look.wrong());
        sight = now;
        return now;
    }

    private record Look(Facts facts, List<Condition> wrong) {}

    /** Why this node does not do what it is there for; empty when it does. */
    Optional<String> whyNotTurning() {
        return turning.whyNot();
    }

    /** What this node saw last; null before it has looked. */
    public @Nullable Sight sight() {
        return sight;
    }
}
