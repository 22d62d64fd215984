package io.nightshift.infra.run;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the time of a run's steps goes, measured: in sessions of SQL, waiting for bytes of a server, in calls of a storage,
 * and on the processor. Threads that work side by side add up, so that a step's parts may be more than it took. A thread
 * knows what it works for; threads of {@link StepThreads} know it too. Thread-safe.
 */
public final class Timings {

    /** The title of the section that tells them; people see it when they ask. */
    public static final String TITLE = "timings";

    /** What time is spent on. */
    public enum Kind {
        SQL,
        NETWORK,
        STORAGE,
        CPU
    }

    private static final ThreadLocal<@Nullable Timings> CURRENT = new ThreadLocal<>();
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final class Step {
        private final long begun = System.nanoTime();
        private final Map<Kind, Long> nanos = new EnumMap<>(Kind.class);
        private long took;
    }

    private final Map<String, Step> steps = new LinkedHashMap<>();
    private String present = "";

    /** A step begins; what this thread does from now on is its. */
    public synchronized void begin(String step) {
        present = step;
        steps.put(step, new Step());
        CURRENT.set(this);
    }

    /** The step of this thread has come to its end. */
    public synchronized void end() {
        CURRENT.remove();
        Step step = steps.get(present);
        if (step != null) {
            step.took = System.nanoTime() - step.begun;
        }
    }

    /** What the present thread works for; null when it works for no step. */
    static @Nullable Timings current() {
        return CURRENT.get();
    }

    /** The thread works for this, or for no step, from now on. */
    static void workFor(@Nullable Timings timings) {
        CURRENT.set(timings);
    }

    /** Adds time that the present thread has spent for its step; nothing where it works for none. */
    public static void spent(Kind kind, Duration time) {
        Timings timings = CURRENT.get();
        if (timings != null) {
            timings.add(kind, time.toNanos());
        }
    }

    /** The processor time of the present thread since it began. */
    public static Duration cpu() {
        return THREADS.isCurrentThreadCpuTimeSupported()
                ? Duration.ofNanos(Math.max(0, THREADS.getCurrentThreadCpuTime()))
                : Duration.ZERO;
    }

    private synchronized void add(Kind kind, long nanos) {
        Step step = steps.get(present);
        if (step != null) {
            step.nanos.merge(kind, nanos, Long::sum);
        }
    }

    /** One row for each step, in seconds. */
    public synchronized Section section() {
        List<String> columns = new ArrayList<>(List.of("step", "elapsed"));
        for (Kind kind : Kind.values()) {
            columns.add(
                    kind == Kind.SQL || kind == Kind.CPU
                            ? kind.name()
                            : kind.name().toLowerCase(Locale.ROOT));
        }
        List<List<String>> rows = new ArrayList<>();
        steps.forEach((name, step) -> {
            List<String> row = new ArrayList<>(List.of(name, seconds(step.took)));
            for (Kind kind : Kind.values()) {
                row.add(seconds(step.nanos.getOrDefault(kind, 0L)));
            }
            rows.add(row);
        });
        return Section.table(TITLE, columns, rows);
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
    }
}
