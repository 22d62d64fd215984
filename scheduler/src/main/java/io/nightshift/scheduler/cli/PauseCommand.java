package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Pauses;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "pause",
        description = {
            "Keeps due times and chained runs of a job, of a cluster, or of everything from beginning.",
            "Each is accounted for as skipped with the reason. A run that works goes on, and `run` is not refused."
        })
final class PauseCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "JOB", arity = "0..1", description = "a configured job")
    private @Nullable String job;

    @Option(
            names = "--cluster",
            paramLabel = "C",
            description = "only on this cluster; without a job: everything there")
    private @Nullable String cluster;

    @Option(names = "--all", description = "every job on every cluster")
    private boolean all;

    @Option(names = "--reason", paramLabel = "TEXT", required = true, description = "why; whoever is on duty reads it")
    private String reason = "";

    @Option(
            names = "--until",
            paramLabel = "TIME",
            description = "when it ends by itself, such as 2026-11-22T06:00:00Z")
    private @Nullable Instant until;

    @Option(names = "--for", paramLabel = "2h", description = "how long it lasts")
    private @Nullable Duration lasting;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        var configuration = surroundings.configuration();
        PauseScope scope = PauseScope.of(job, cluster, all, configuration);
        Instant now = surroundings.clock().instant();
        Instant end = end(now);
        surroundings.home().create();
        try (ControlDatabase controlDatabase = ControlDatabase.open(
                surroundings.home(), configuration.program().control())) {
            controlDatabase.migrate();
            new Pauses(controlDatabase.connections())
                    .pause(scope.job(), scope.cluster(), reason, NightshiftCommand.user(), now, end);
        }
        if (top.isJson()) {
            Map<String, @Nullable Object> pause = new LinkedHashMap<>();
            pause.put("job", scope.job());
            pause.put("cluster", scope.cluster());
            pause.put("reason", reason);
            pause.put("since", now);
            pause.put("until", end);
            top.print(pause);
        } else {
            top.out()
                    .println("paused: " + scope
                            + (end == null ? ", until somebody resumes" : ", until " + RunText.time(end)));
        }
        return 0;
    }

    private @Nullable Instant end(Instant now) {
        if (until != null && lasting != null) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "--until stands beside --for", "keep one of the two");
        }
        Instant end = lasting == null ? until : now.plus(lasting);
        if (end != null && !end.isAfter(now)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "a pause until " + RunText.time(end) + " is over already",
                    "leave --until and --for out to pause until somebody resumes");
        }
        return end;
    }
}
