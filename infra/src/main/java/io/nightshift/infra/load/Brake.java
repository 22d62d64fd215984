package io.nightshift.infra.load;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.load.BrakeRule.NotStreaming;
import io.nightshift.infra.load.Load.Standby;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a step must yield to production now, by what its nodes said last, and how it does: a stream of a base backup is
 * slowed ({@link #pace}), any other step pauses between its chunks ({@link #betweenChunks}). A node that has not answered
 * for a while brakes nobody, and the report says so. Thread-safe.
 */
public final class Brake implements AutoCloseable {

    /** A node, and since when and why it could not be observed. */
    record Unobserved(String node, Duration age, @Nullable String failure) {}

    /** A time during which the brake was on. */
    record Spell(Instant from, Duration length, String why) {}

    private static final Logger LOG = LoggerFactory.getLogger(Brake.class);

    private static final Duration INTERVAL = Duration.ofSeconds(2);
    /** For so long what was seen last holds: longer than a look may take that fails and is tried again. */
    private static final Duration TRUSTED = Duration.ofSeconds(20);

    private static final Duration SLICE = Duration.ofMillis(250);

    private final BrakeRule rule;
    private final Duration trusted;
    private final Cancellation cancellation;
    private final Cancellation.Registration waking;
    private final Clock clock;
    private final List<LoadWatch> watches;
    private final Map<String, NotStreaming> notStreaming = new LinkedHashMap<>();
    private final Map<String, Map<String, Standby>> standbys = new HashMap<>();
    private final List<NotStreaming> streamsAgain = new ArrayList<>();
    private final Map<String, Unobserved> unobserved = new LinkedHashMap<>();
    private final List<Spell> spells = new ArrayList<>();
    private @Nullable String why;
    private String whyAtFirst = "";
    private Instant from = Instant.EPOCH;
    private long began;

    /** Watches the nodes from now on, until it is closed. */
    public Brake(LoadLimits limits, List<WatchedNode> nodes, Cancellation cancellation, Clock clock) {
        this(limits, nodes, cancellation, clock, INTERVAL, TRUSTED);
    }

    Brake(
            LoadLimits limits,
            List<WatchedNode> nodes,
            Cancellation cancellation,
            Clock clock,
            Duration interval,
            Duration trusted) {
        this.rule = new BrakeRule(limits);
        this.trusted = trusted;
        this.cancellation = cancellation;
        this.clock = clock;
        this.watches = nodes.stream()
                .map(node -> new LoadWatch(node, interval, load -> observed(node.name(), load)))
                .toList();
        this.waking = cancellation.onCancel(this::wake);
    }

    /** Why to yield now, with the numbers; empty when there is no reason. Never waits. */
    public synchronized Optional<String> reason() {
        List<String> reasons = new ArrayList<>();
        for (LoadWatch watch : watches) {
            Load load = watch.load();
            if (watch.age().compareTo(trusted) > 0) {
                blind(watch);
            } else if (load != null) {
                rule.reason(load).ifPresent(reason -> reasons.add(at(watch) + reason));
            }
        }
        change(reasons.isEmpty() ? null : String.join("; ", reasons));
        return Optional.ofNullable(why);
    }

    /** Slows a stream to the floor rate while there is a reason; for the thread that takes its bytes. */
    public Pace pace(DataSize floorRate, Progress progress) {
        return new Pace(this, floorRate, progress, cancellation);
    }

    /**
     * Waits, between two chunks of a step, until there is no reason to yield.
     *
     * @param longest how long to wait at most
     * @param work the step's sessions, none of them in a transaction: that would keep VACUUM from its work meanwhile
     * @return why the step must end here, for {@link RunContext#notEvaluated}; empty when it goes on
     */
    public Optional<String> betweenChunks(Progress progress, Duration longest, Connection... work) {
        Optional<String> reason = reason();
        if (reason.isEmpty()) {
            return reason;
        }
        requireNoTransaction(work);
        long until = System.nanoTime() + longest.toNanos();
        while (reason.isPresent() && System.nanoTime() - until < 0) {
            progress.note("paused: " + reason.get());
            await(until);
            reason = reason();
        }
        progress.note(null);
        return reason.map(why -> "production came first for " + Durations.print(longest) + ": " + why);
    }

    /**
     * Reports what is worth knowing of it: when it was on, who gets no WAL, and what could not be seen.
     *
     * @param slowed what has yielded, such as {@code base backup}
     */
    public synchronized void report(RunContext run, String slowed) {
        reason();
        new BrakeReport(run, slowed)
                .tell(allSpells(), List.copyOf(notStreaming.values()), streamsAgain, hidden(), unobserved());
    }

    /** Waits until then, or something may have changed; throws if the run is stopped. */
    void await(long nanoTime) {
        cancellation.check();
        long left = Math.min(nanoTime - System.nanoTime(), SLICE.toNanos());
        if (left > 0) {
            try {
                synchronized (this) {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new NightshiftException(
                        FailureKind.CANCELLED, "interrupted while yielding to production", null, interrupted);
            }
            cancellation.check();
        }
    }

    @Override
    public void close() {
        waking.close();
        watches.forEach(LoadWatch::close);
    }

    private synchronized void wake() {
        notifyAll();
    }

    private synchronized void observed(String node, Load load) {
        Map<String, NotStreaming> now = new LinkedHashMap<>();
        Map<String, Standby> seen = standbys.computeIfAbsent(node, first -> new LinkedHashMap<>());
        rule.notStreaming(load, seen.values()).forEach(found -> now.put(node + "/" + found.subject(), found));
        notStreaming.entrySet().removeIf(before -> {
            boolean again = before.getKey().startsWith(node + "/") && !now.containsKey(before.getKey());
            if (again) {
                streamsAgain.add(before.getValue());
            }
            return again;
        });
        load.standbys().forEach(standby -> seen.put(standby.name(), standby));
        notStreaming.putAll(now);
        streamsAgain.removeAll(now.values());
        notifyAll();
    }

    private void blind(LoadWatch watch) {
        if (unobserved.put(watch.node(), new Unobserved(watch.node(), watch.age(), watch.failure())) == null) {
            LOG.warn("load of {} not observed for {} s: it brakes nothing now", watch.node(), trusted.toSeconds());
        }
    }

    private void change(@Nullable String now) {
        if (why == null && now != null) {
            began = System.nanoTime();
            from = clock.instant();
            whyAtFirst = now;
            LOG.info("production comes first: {}", now);
        } else if (why != null && now == null) {
            spells.add(spell());
            LOG.info("full speed again after {} s", spell().length().toSeconds());
        }
        why = now;
    }

    private Spell spell() {
        return new Spell(from, Duration.ofNanos(System.nanoTime() - began), whyAtFirst);
    }

    private List<Spell> allSpells() {
        List<Spell> all = new ArrayList<>(spells);
        if (why != null) {
            all.add(spell());
        }
        return all;
    }

    private String at(LoadWatch watch) {
        return watches.size() == 1 ? "" : watch.node() + ": ";
    }

    /** Nodes that do not show what we ask for, by our role there. */
    private Map<String, String> hidden() {
        Map<String, String> roles = new LinkedHashMap<>();
        for (LoadWatch watch : watches) {
            Load load = watch.load();
            if (load != null && !load.isVisible()) {
                roles.put(watch.node(), load.role());
            }
        }
        return roles;
    }

    private List<Unobserved> unobserved() {
        Map<String, Unobserved> all = new LinkedHashMap<>(unobserved);
        for (LoadWatch watch : watches) {
            if (watch.load() == null && watch.failure() != null) {
                all.putIfAbsent(watch.node(), new Unobserved(watch.node(), watch.age(), watch.failure()));
            }
        }
        return List.copyOf(all.values());
    }

    private static void requireNoTransaction(Connection... work) {
        for (Connection session : work) {
            try {
                if (session.unwrap(BaseConnection.class).getTransactionState() != TransactionState.IDLE) {
                    throw new NightshiftException(FailureKind.BUG, "a step wants to pause inside a transaction");
                }
            } catch (SQLException closed) {
                throw new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE, "session of the step: " + closed.getMessage(), null, closed);
            }
        }
    }
}
