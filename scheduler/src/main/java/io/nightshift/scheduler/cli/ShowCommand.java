package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.history.RunLog;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.Usual;
import io.nightshift.scheduler.schedule.DueTime;
import io.nightshift.scheduler.schedule.Schedules;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "show",
        description = "Shows one run: what it did, found and measured, why it ended as it did, and what to do now.")
final class ShowCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "RUN", description = "the run's number, as history shows it")
    private long run;

    @Option(names = "--log", description = "show the log of the run as well")
    private boolean log;

    @Option(names = "--timings", description = "show where the time of each step went")
    private boolean timings;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            if (ledger == null) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "run " + run + " does not exist",
                        "nothing has run in this home yet");
            }
            Run found = ledger.history().run(new RunId(run));
            Optional<RunLog> lines = log ? ledger.logs().find(new RunId(run)) : Optional.empty();
            if (top.isJson()) {
                json(found, ledger.history().usual(found), lines);
            } else {
                text(surroundings, ledger.history(), found, lines);
            }
        }
        return 0;
    }

    private void json(Run found, Usual usual, Optional<RunLog> lines) {
        Map<String, Object> document = Json.toMap(found);
        document.put("usual", Json.toMap(usual));
        lines.ifPresent(log -> document.put("log", Json.toMap(log)));
        top.print(document);
    }

    private void text(Surroundings surroundings, RunHistory history, Run found, Optional<RunLog> lines) {
        Instant now = surroundings.clock().instant();
        Run newest = history.runs(RunFilter.newest(1).ofJob(found.job()).ofCluster(found.cluster())).stream()
                .findFirst()
                .orElse(found);
        boolean onCluster = surroundings
                .jobTypes()
                .find(found.type())
                .map(JobType::onClusters)
                .orElse(true);
        List<String> next = NextSteps.of(found, onCluster, newest, nextDue(surroundings, found, now));
        new RunDetail(top.out(), found, timings).print(history.usual(found), next, now);
        if (log) {
            top.out().println();
            lines.ifPresentOrElse(this::print, () -> top.out().println("  no log is kept of this run"));
        }
    }

    private void print(RunLog log) {
        top.out().println("  log" + (log.dropped() == 0 ? "" : " (" + log.dropped() + " older lines are not kept)"));
        log.text().lines().forEach(line -> top.out().println("    " + line));
    }

    /** Null where the configuration does not say; a wrong configuration hides no run. */
    private static @Nullable Instant nextDue(Surroundings surroundings, Run run, Instant now) {
        Configuration configuration = surroundings.read().configuration();
        return configuration == null
                ? null
                : Optional.ofNullable(configuration.jobs().get(run.job()))
                        .flatMap(job -> new Schedules(configuration.calendars()).of(job.schedule()))
                        .flatMap(schedule -> schedule.nextToRun(now))
                        .map(DueTime::at)
                        .orElse(null);
    }
}
