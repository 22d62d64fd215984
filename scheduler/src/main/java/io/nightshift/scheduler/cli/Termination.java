package io.nightshift.scheduler.cli;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Ctrl-C and SIGTERM: the command is asked to stop, comes to its end, closes everything, and only then the process goes,
 * with the command's own exit status.
 */
final class Termination {

    /** What stopping may take, after whatever the command itself waits for. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final CompletableFuture<Integer> status = new CompletableFuture<>();
    private final AtomicReference<Runnable> askToStop = new AtomicReference<>(() -> {});
    private final AtomicReference<Duration> deadline = new AtomicReference<>(Duration.ZERO);
    private final AtomicBoolean signalled = new AtomicBoolean();
    private final Thread hook = new Thread(this::stop, "termination");

    /** From now on. The thread itself is never interrupted: that would close files and connections in its hands. */
    Termination() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** How to stop what the command does now; done at once if the signal has come already. */
    void onSignal(Runnable action) {
        onSignal(action, Duration.ZERO);
    }

    /** @param wait how long the command waits before it stops what it does */
    void onSignal(Runnable action, Duration wait) {
        deadline.set(wait);
        askToStop.set(action);
        if (isSignalled()) {
            action.run();
        }
    }

    boolean isSignalled() {
        return signalled.get();
    }

    private void stop() {
        signalled.set(true);
        Objects.requireNonNull(askToStop.get()).run();
        try {
            Runtime.getRuntime().halt(status.get(PATIENCE.plus(deadline.get()).toSeconds(), TimeUnit.SECONDS));
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            Runtime.getRuntime().halt(1);
        }
    }

    /** The command has come to its end and closed everything. */
    int finished(int exitStatus) {
        status.complete(exitStatus);
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException goingAlready) {
            // the hook ends the process with this status
        }
        return exitStatus;
    }
}
