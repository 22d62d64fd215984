package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "history", description = "Shows what ran, the newest first.")
final class HistoryCommand implements Callable<Integer> {

    private static final Duration LONGEST = Duration.ofDays(36_500);

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--job", paramLabel = "JOB", description = "only this job")
    private @Nullable String job;

    @Option(names = "--cluster", paramLabel = "C", description = "only this cluster")
    private @Nullable String cluster;

    @Option(names = "--state", paramLabel = "S", description = "only this state: ${COMPLETION-CANDIDATES}")
    private @Nullable RunState state;

    @Option(
            names = "--since",
            paramLabel = "7d",
            defaultValue = "7d",
            description = "how far back, such as 12h or 7d (default: ${DEFAULT-VALUE})")
    private Duration since = Duration.ofDays(7);

    @Option(names = "--limit", paramLabel = "N", defaultValue = "100", description = "at most so many (default: 100)")
    private int limit;

    @Override
    public Integer call() {
        if (since.compareTo(LONGEST) > 0) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--since " + Durations.print(since) + " is too far back",
                    "accepted: up to 36500d");
        }
        var surroundings = top.surroundings();
        Instant from = surroundings.clock().instant().minus(since);
        List<Run> runs = List.of();
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            if (ledger != null) {
                runs = ledger.history().runs(new RunHistory.Filter(job, cluster, state, from, limit));
            }
        }
        if (top.isJson()) {
            top.print(Map.of("runs", runs.stream().map(Json::toMap).toList()));
        } else if (runs.isEmpty()) {
            top.out().println("no runs since " + RunText.time(from));
        } else {
            RunText.list(top.out(), runs);
        }
        return 0;
    }
}
