package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.RunId;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "restart",
        description = {
            "Gives a failed or stopped run another attempt, which begins at the step that did not finish.",
            "Where `nightshift serve` is up, it is queued there and followed; otherwise, or with --here, this process works it."
        })
final class RestartCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "RUN", description = "the run's number, as history shows it")
    private long run;

    @Option(names = "--here", description = "work the run in this process, whether or not serve is up")
    private boolean here;

    @Override
    public Integer call() {
        RunId id = new RunId(run);
        LedgerAtHand.with(top.surroundings(), run).close();
        return new Workplace(top, here)
                .work(configuration -> List.of((requests, node) -> {
                    requests.restart(id, NightshiftCommand.user(), node);
                    return id;
                }));
    }
}
