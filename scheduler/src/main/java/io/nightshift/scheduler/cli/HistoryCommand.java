package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.PageToken;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunPage;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
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
    private static final int LARGEST_PAGE = 10_000;

    enum Format {
        TEXT,
        JSON,
        CSV
    }

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--job", paramLabel = "JOB", description = "only this job")
    private @Nullable String job;

    @Option(names = "--cluster", paramLabel = "C", description = "only this cluster")
    private @Nullable String cluster;

    @Option(names = "--type", paramLabel = "JOBTYPE", description = "only this job type")
    private @Nullable String type;

    @Option(names = "--state", paramLabel = "S", description = "only this state: ${COMPLETION-CANDIDATES}")
    private @Nullable RunState state;

    @Option(names = "--cause", paramLabel = "CAUSE", description = "only for this cause: ${COMPLETION-CANDIDATES}")
    private @Nullable Cause cause;

    @Option(names = "--with-findings", description = "only runs that found something")
    private boolean withFindings;

    @Option(
            names = "--since",
            paramLabel = "7d",
            defaultValue = "7d",
            description = "how far back, such as 12h or 7d (default: ${DEFAULT-VALUE})")
    private Duration since = Duration.ofDays(7);

    @Option(names = "--until", paramLabel = "TIME", description = "asked for before then, such as 2026-11-22")
    private @Nullable Instant until;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "100", description = "at most so many (default: 100)")
    private int limit;

    @Option(names = "--page", paramLabel = "NEXT", description = "go on where the page before ended")
    private @Nullable PageToken page;

    @Option(names = "--format", paramLabel = "F", description = "text, json (as --output json) or csv (default: text)")
    private Format format = Format.TEXT;

    @Override
    public Integer call() {
        checkLimits();
        var surroundings = top.surroundings();
        Instant from = surroundings.clock().instant().minus(since);
        RunPage found = new RunPage(List.of(), null);
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            if (ledger != null) {
                found = ledger.history()
                        .page(new RunFilter(job, cluster, type, state, cause, from, until, withFindings, page, limit));
            }
        }
        print(found, from);
        return 0;
    }

    private void checkLimits() {
        if (since.compareTo(LONGEST) > 0) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--since " + Durations.print(since) + " is too far back",
                    "accepted: up to 36500d");
        }
        if (limit < 1 || limit > LARGEST_PAGE) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--limit " + limit + " is not accepted",
                    "accepted: 1 to " + LARGEST_PAGE + "; --page gives what follows");
        }
    }

    private void print(RunPage found, Instant from) {
        if (top.isJson() || format == Format.JSON) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("runs", found.runs().stream().map(Json::toMap).toList());
            if (found.next() != null) {
                document.put("next", found.next().toString());
            }
            top.print(document);
            return;
        }
        if (format == Format.CSV) {
            RunCsv.print(top.out(), found.runs());
        } else if (found.runs().isEmpty()) {
            top.out().println("no runs since " + RunText.time(from));
        } else {
            RunText.list(top.out(), found.runs());
        }
        if (found.next() != null) {
            top.err().println("there are more; go on with --page " + found.next());
        }
    }
}
