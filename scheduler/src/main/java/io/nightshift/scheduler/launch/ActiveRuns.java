package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.RunId;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The runs that this process works now. */
public final class ActiveRuns {

    private static final Logger LOG = LoggerFactory.getLogger(ActiveRuns.class);

    private final Map<RunId, ActiveRun> runs = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable String> stopping = new AtomicReference<>();
    private final AtomicReference<@Nullable String> leaving = new AtomicReference<>();

    void add(ActiveRun run) {
        runs.put(run.id(), run);
        String why = leaving.get();
        if (why != null) {
            run.leave(why);
        }
        String reason = stopping.get();
        if (reason != null) {
            run.cancel(reason);
        }
    }

    void remove(ActiveRun run) {
        runs.remove(run.id(), run);
    }

    boolean isWorked(ActiveRun run) {
        return runs.get(run.id()) == run;
    }

    ActiveRun get(RunId run) {
        ActiveRun active = runs.get(run);
        if (active == null) {
            throw new NightshiftException(FailureKind.BUG, "run " + run + " is not worked by this process");
        }
        return active;
    }

    /** The run as its steps see it. */
    public RunContext context(long run) {
        return get(new RunId(run));
    }

    Collection<ActiveRun> all() {
        return runs.values();
    }

    public int count() {
        return runs.size();
    }

    public boolean isEmpty() {
        return runs.isEmpty();
    }

    /** How far a run is, if this process works it. */
    public Optional<Progress.Snapshot> progress(RunId run) {
        return Optional.ofNullable(runs.get(run))
                .map(active -> active.progress().snapshot());
    }

    /** Asks every run to end its attempt at the next boundary of a step, whatever begins from now on as well. */
    public void leave(String reason) {
        leaving.compareAndSet(null, reason);
        runs.values().forEach(run -> run.leave(reason));
    }

    /** Whether this process is about to end, so that nothing new begins. */
    boolean isLeaving() {
        return leaving.get() != null || stopping.get() != null;
    }

    /** Asks everything to stop, and whatever begins from now on as well. */
    public void cancelAll(String reason) {
        stopping.compareAndSet(null, reason);
        runs.values().forEach(run -> {
            try {
                run.cancel(reason);
            } catch (RuntimeException e) {
                LOG.warn("run {} asked to stop, but not everything heard it: {}", run.id(), e.getMessage());
            }
        });
    }
}
