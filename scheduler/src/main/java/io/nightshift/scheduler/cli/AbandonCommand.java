package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.RunClaims;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "abandon",
        description = {
            "Ends a run whose process is gone or does not react to stop. It ends as stopped, and can be restarted.",
            "A process that still works it can change nothing any more."
        })
final class AbandonCommand implements Callable<Integer> {

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
            Run before = ledger.history().run(id);
            checkThatNobodyAnswers(surroundings, ledger, before);
            ledger.ledger()
                    .abandon(id, "abandoned by " + NightshiftCommand.user() + (reason == null ? "" : ": " + reason));
            Run ended = ledger.history().run(id);
            if (top.isJson()) {
                top.print(Json.toMap(ended));
            } else {
                RunText.outcome(top.out(), ended);
            }
            return 0;
        }
    }

    /** A run in good health is stopped, which lets it tidy up behind itself. */
    private void checkThatNobodyAnswers(Surroundings surroundings, LedgerAtHand ledger, Run before) {
        RunClaims claims = new RunClaims(ledger.leases(), ledger.nodes(surroundings), "abandon");
        if (before.state() == RunState.QUEUED
                || (before.state() == RunState.RUNNING
                        && !claims.isAbandoned(new RunId(run))
                        && !ledger.requests().isAskedToStop(new RunId(run)))) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "run " + run + " is " + before.state() + ", and nobody has tried to stop it yet",
                    "nightshift stop " + run + " first; abandon it if that does not help");
        }
    }
}
