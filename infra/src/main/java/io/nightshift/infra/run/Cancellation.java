package io.nightshift.infra.run;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A request to stop, seen by everything that works for a run. Code that loops asks {@link #check()}; code that blocks
 * registers what would free it. Thread-safe.
 */
public final class Cancellation {

    private final AtomicReference<@Nullable String> reason = new AtomicReference<>();
    private final List<Runnable> hooks = new CopyOnWriteArrayList<>();

    /** Asks the work to stop; the first reason counts. Hooks run on the calling thread. */
    public void cancel(String why) {
        if (reason.compareAndSet(null, why)) {
            hooks.forEach(Runnable::run);
        }
    }

    public boolean isCancelled() {
        return reason.get() != null;
    }

    /** Why the work was asked to stop; empty while it was not. */
    public String reason() {
        String why = reason.get();
        return why == null ? "" : why;
    }

    /** Throws the failure that ends the run, if it was asked to stop. */
    public void check() {
        String why = reason.get();
        if (why != null) {
            throw new NightshiftException(FailureKind.CANCELLED, why);
        }
    }

    /** Registers what frees a blocked thread, until the registration is closed; runs at once if already cancelled. */
    public Registration onCancel(Runnable free) {
        hooks.add(free);
        if (isCancelled()) {
            free.run();
        }
        return () -> hooks.remove(free);
    }

    /** A hook's registration. */
    @FunctionalInterface
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }
}
