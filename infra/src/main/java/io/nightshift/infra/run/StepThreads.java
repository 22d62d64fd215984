package io.nightshift.infra.run;

import java.util.Map;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Makes the threads that work for a step beside its own. What the thread that asks for one works for, its run, job and
 * step, is seen in the log lines of the new one too, and its processor time counts as the step's. They are daemons: a process
 * that ends does not wait for them.
 */
public final class StepThreads implements ThreadFactory {

    private final String name;

    private StepThreads(String name) {
        this.name = name;
    }

    public static StepThreads named(String name) {
        return new StepThreads(name);
    }

    @Override
    public Thread newThread(Runnable work) {
        var thread = new Thread(carrying(MDC.getCopyOfContextMap(), Timings.current(), work), name);
        thread.setDaemon(true);
        return thread;
    }

    /** A thread that works already. */
    public Thread start(Runnable work) {
        Thread thread = newThread(work);
        thread.start();
        return thread;
    }

    private static Runnable carrying(@Nullable Map<String, String> context, @Nullable Timings timings, Runnable work) {
        return () -> {
            if (context != null) {
                MDC.setContextMap(context);
            }
            Timings.workFor(timings);
            try {
                work.run();
            } finally {
                Timings.spent(Timings.Kind.CPU, Timings.cpu());
            }
        };
    }
}
