package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunHistory;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Shows a run while it goes on, here or in the process that serves, until it has its outcome. */
final class RunFollower {

    private final NightshiftCommand top;
    private final RunHistory history;

    RunFollower(NightshiftCommand top, ControlDatabase controlDatabase) {
        this.top = top;
        this.history = new RunHistory(controlDatabase.connections());
    }

    /** Works the run on this thread. */
    @SuppressWarnings("try") // the watch is for closing only
    Run work(Nightshift nightshift, RunId run) {
        announce(run, "");
        try (ProgressWatch watch =
                new ProgressWatch(top, () -> nightshift.activeRuns().progress(run))) {
            return workSilently(nightshift, run);
        }
    }

    /** The same, of one among many: what it does is not shown. */
    Run workSilently(Nightshift nightshift, RunId run) {
        String said = "";
        while (nightshift.work(run).isEmpty() && !history.run(run).state().hasEnded()) {
            said = waitForTurn(nightshift, run, said);
        }
        return history.run(run);
    }

    /** Says once what the run waits for; a signal takes it back. */
    private String waitForTurn(Nightshift nightshift, RunId run, String said) {
        if (top.isSignalled()) {
            nightshift.requests().stop(run, "stopped by a signal while it waited");
            return said;
        }
        nightshift.closeLostRuns();
        String saidNow = sayWhatItWaitsFor(nightshift.waitsFor(run), said);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ProgressWatch.GLANCE_MILLIS));
        return saidNow;
    }

    private String sayWhatItWaitsFor(String now, String said) {
        if (!now.isEmpty() && !now.equals(said) && !top.isJson()) {
            top.err().println("  waits: " + now);
        }
        return now;
    }

    /** Follows a run that is worked where somebody serves. Ctrl-C ends the following, not the run. */
    Run follow(RunId run) {
        ProgressPrinter printer = ProgressPrinter.of(top);
        announce(run, " (worked by nightshift serve; Ctrl-C only stops watching)");
        Run now = history.run(run);
        String said = "";
        while (!now.state().hasEnded() && !top.isSignalled()) {
            said = sayWhatItWaitsFor(now.waitingFor() == null ? "" : now.waitingFor(), said);
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

    /** Prints how the runs ended; returns the exit status of the one that asks for attention first. */
    int report(List<Run> runs) {
        if (top.isJson()) {
            top.print(
                    runs.size() == 1
                            ? Json.toMap(runs.get(0))
                            : Map.of("runs", runs.stream().map(Json::toMap).toList()));
        } else {
            runs.forEach(run -> RunText.outcome(top.out(), run, top.showsTimings()));
        }
        int worst = 0;
        for (Run run : runs) {
            Integer status = run.exitStatus();
            if (status == null) {
                throw new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        "run " + run.id() + " has no outcome yet",
                        "nightshift show " + run.id());
            }
            worst = worst == 0 || worst == 6 ? Math.max(worst, status) : worst;
        }
        return worst;
    }
}
