package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.springframework.util.FileSystemUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/**
 * Uses in a throw-away home what other commands use, so that the launcher can let Java archive the loaded classes: that
 * takes a second or two off every later start.
 */
@Command(
        name = "warm-up",
        hidden = true,
        description = "For the launcher only: needs a --home that may be thrown away.")
final class WarmUpCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Override
    public Integer call() throws IOException {
        Surroundings surroundings = top.surroundings();
        surroundings.home().create();
        try (ControlDatabase controlDatabase = ControlDatabase.open(surroundings.home(), null)) {
            controlDatabase.migrate();
            try (Nightshift nightshift =
                    Nightshift.forOwnRuns(surroundings, surroundings.configuration(), controlDatabase)) {
                nightshift.closeLostRuns();
            }
            var runs = new RunHistory(controlDatabase.connections()).runs(RunFilter.newest(1));
            RunText.list(top.out(), runs);
            top.print(Map.of("runs", runs.stream().map(Json::toMap).toList()));
        }
        FileSystemUtils.deleteRecursively(surroundings.home().servers());
        FileSystemUtils.deleteRecursively(surroundings.home().path());
        return 0;
    }
}
