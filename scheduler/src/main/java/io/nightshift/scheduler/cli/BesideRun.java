package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Ledger.Outcome;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** A run that goes on beside others of this process until it is closed, which asks it to stop and waits for that. */
final class BesideRun implements AutoCloseable {

    private final Nightshift nightshift;
    private final RunId run;
    private final CompletableFuture<Optional<Outcome>> end;

    private BesideRun(Nightshift nightshift, RunId run, CompletableFuture<Optional<Outcome>> end) {
        this.nightshift = nightshift;
        this.run = run;
        this.end = end;
    }

    static BesideRun begin(Nightshift nightshift, LaunchRequest request) {
        RunId run = nightshift.requests().launch(request);
        return new BesideRun(nightshift, run, CompletableFuture.supplyAsync(() -> nightshift.work(run)));
    }

    /** Fails with what it failed with, if it did. */
    void requireAlive() {
        if (end.isCompletedExceptionally()) {
            join();
        }
    }

    private void join() {
        try {
            Optional<Outcome> unused = end.join();
        } catch (CompletionException failed) {
            throw NightshiftException.of(failed);
        }
    }

    @Override
    public void close() {
        if (!end.isDone()) {
            nightshift.requests().stop(run, "what it went on beside is over");
        }
        join();
    }
}
