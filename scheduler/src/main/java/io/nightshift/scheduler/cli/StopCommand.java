package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.RunClaims;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "stop",
        description = {
            "Stops a run and follows until it has ended. It ends at once where nobody works it yet.",
            "A step is asked first; after 5 s its sessions on the cluster are ended."
        })
final class StopCommand implements Callable<Integer> {

    private static final Duration GRACE = Duration.ofSeconds(5);

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "RUN", description = "the run's number, as history shows it")
    private long run;

    @Option(names = "--reason", paramLabel = "TEXT", description = "why; the history shows it")
    private @Nullable String reason;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        RunId id = new RunId(run);
        try (LedgerAtHand ledger = LedgerAtHand.with(surroundings, run)) {
            ledger.requests()
                    .stop(id, "stopped by " + NightshiftCommand.user() + (reason == null ? "" : ": " + reason));
            Run ended = follow(surroundings, ledger, id);
            if (top.isJson()) {
                top.print(Json.toMap(ended));
            } else {
                RunText.outcome(top.out(), ended);
            }
            return ended.state() == RunState.STOPPED ? 0 : FailureKind.REFUSED.exitStatus();
        }
    }

    private Run follow(Surroundings surroundings, LedgerAtHand ledger, RunId id) {
        Nodes nodes = ledger.nodes(surroundings);
        RunClaims claims = new RunClaims(ledger.leases(), nodes, "stop");
        long hard = System.nanoTime() + GRACE.toNanos();
        boolean said = top.isJson();
        Run now = ledger.history().run(id);
        while (!now.state().hasEnded()) {
            top.checkSignal();
            boolean nobodyHears = claims.isAbandoned(id) && !nodes.someoneServes();
            // Read after the lease: a run that has ended meanwhile has given it up.
            now = ledger.history().run(id);
            if (now.state() == RunState.RUNNING && nobodyHears) {
                throw new NightshiftException(
                        FailureKind.REFUSED,
                        "run " + run + " cannot hear: the process that worked it is gone, and nobody serves",
                        "nightshift abandon " + run + " ends it");
            }
            if (!said && System.nanoTime() > hard) {
                said = true;
                top.err()
                        .println("run " + run + " has not stopped within " + GRACE.toSeconds()
                                + " s: its sessions on cluster " + now.cluster() + " are being ended");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ProgressWatch.GLANCE_MILLIS));
            now = ledger.history().run(id);
        }
        return now;
    }
}
