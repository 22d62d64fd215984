package io.nightshift.infra.run;

import io.nightshift.infra.resilience.NightshiftException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** Several threads that do the same until there is nothing left. The first failure, or a cancellation, ends all of them. */
public final class Workers {

    private Workers() {}

    /**
     * Returns when all threads have ended.
     *
     * @param work is given what tells it to stop
     */
    public static void run(int count, String name, Cancellation cancellation, Consumer<Cancellation> work) {
        var stop = new Cancellation();
        var failure = new AtomicReference<Throwable>();
        List<Thread> threads = new ArrayList<>();
        Cancellation.Registration hook = cancellation.onCancel(() -> stop.cancel("stopped"));
        try {
            for (int number = 1; number <= count; number++) {
                threads.add(start(name + "-" + number, () -> {
                    try {
                        work.accept(stop);
                    } catch (Throwable failed) { // whatever it is, it is thrown by the thread that waits
                        failure.compareAndSet(null, failed);
                        stop.cancel("another thread has failed");
                    }
                }));
            }
            threads.forEach(Workers::await);
        } finally {
            hook.close();
        }
        cancellation.check();
        Throwable failed = failure.get();
        if (failed != null) {
            throw NightshiftException.of(failed);
        }
    }

    private static Thread start(String name, Runnable work) {
        return StepThreads.named(name).start(work);
    }

    /** An interrupt does not end the wait: the threads would go on writing behind our back. */
    private static void await(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
