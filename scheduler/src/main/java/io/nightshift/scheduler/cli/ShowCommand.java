package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "show", description = "Shows one run: what it did, found and measured, and why it ended as it did.")
final class ShowCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "RUN", description = "the run's number, as history shows it")
    private long run;

    @Override
    public Integer call() {
        try (LedgerAtHand ledger = LedgerAtHand.open(top.surroundings()).orElse(null)) {
            if (ledger == null) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "run " + run + " does not exist",
                        "nothing has run in this home yet");
            }
            Run found = ledger.history().run(new RunId(run));
            if (top.isJson()) {
                top.print(Json.toMap(found));
            } else {
                RunText.show(top.out(), found);
            }
        }
        return 0;
    }
}
