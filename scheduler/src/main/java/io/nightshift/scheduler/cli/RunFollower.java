package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunHistory;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Shows a run while it goes on, here or in the process that serves, until it has its outcome. */
final class RunFollower {

    private final NightshiftCommand top;
    private final RunHistory history;
    private final Requests requests;

    RunFollower(NightshiftCommand top, ControlDatabase controlDatabase) {
        this.top = top;
        this.history = new RunHistory(controlDatabase.connections());
        this.requests = new Requests(controlDatabase.connections());
    }

    /** Works the run on this thread. */
    @SuppressWarnings("try") // the watch is for closing only
    Run work(Nightshift nightshift, RunId run) {
        announce(run, "");
        try (ProgressWatch watch =
                new ProgressWatch(top, () -> nightshift.activeRuns().progress(run))) {
            nightshift.work(run);
        }
        return history.run(run);
    }

    /** Queues the runs where somebody serves and follows each. Ctrl-C ends the following, not the run. */
    List<Run> followQueued(List<LaunchRequest> asked) {
        return asked.stream().map(requests::launch).toList().stream()
                .map(this::follow)
                .toList();
    }

    private Run follow(RunId run) {
        ProgressPrinter printer = ProgressPrinter.of(top);
        announce(run, " (worked by nightshift serve; Ctrl-C only stops watching)");
        Run now = history.run(run);
        while (!now.state().hasEnded() && !top.isSignalled()) {
            Optional.ofNullable(now.progress()).ifPresent(printer::show);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ProgressWatch.GLANCE_MILLIS));
            now = history.run(run);
        }
        printer.end();
        return now;
    }

    private void announce(RunId run, String how) {
        if (!top.isJson()) {
            top.err().println("run " + run + how);
        }
    }
}
