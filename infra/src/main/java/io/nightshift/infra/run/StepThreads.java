package io.nightshift.infra.run;

import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Makes the threads that work for a step beside its own. What the thread that asks for one works for, its run, job and
 * step, is seen in the log lines of the new one too, and its processor time counts as the step's. They are daemons: a process
 * that ends does not wait for them.
 */
public final class StepThreads implements ThreadFactory {

    /** What a new thread takes over besides; found with {@link ServiceLoader}, because infra does not know of it. */
    public interface Inheritance {

        /** The same work as the new thread is to do it. Called on the thread that asks for the new one. */
        Runnable inherited(Runnable work);
    }

    private static final List<Inheritance> INHERITANCES = ServiceLoader.load(Inheritance.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();

    private final String name;

    private StepThreads(String name) {
        this.name = name;
    }

    public static StepThreads named(String name) {
        return new StepThreads(name);
    }

    @Override
    public Thread newThread(Runnable work) {
        Runnable inherited = work;
        for (Inheritance inheritance : INHERITANCES) {
            inherited = inheritance.inherited(inherited);
        }
        var thread = new Thread(carrying(MDC.getCopyOfContextMap(), Timings.current(), inherited), name);
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
