package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.LaunchRequest;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "run",
        description = {
            "Runs a job, or a job type on a cluster, now.",
            "Where `nightshift serve` is up, the run is queued there and followed; otherwise, or with --here, this process works it."
        })
final class RunCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "JOB|JOBTYPE", description = "a configured job, or a job type together with --cluster")
    private String name = "";

    @Option(names = "--cluster", paramLabel = "C", description = "only on this cluster")
    private @Nullable String cluster;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "another value for a setting of the job type; may be repeated")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--dry-run", description = "say what would be done, and check that it could")
    private boolean dryRun;

    @Option(names = "--yes", description = "a person has looked: do what the job would wait for a person with")
    private boolean confirmed;

    @Option(names = "--timeout", paramLabel = "2h", description = "stop the run after so long")
    private @Nullable Duration timeout;

    @Option(names = "--here", description = "work the run in this process, whether or not serve is up")
    private boolean here;

    @Option(names = "--timings", description = "show at the end where the time of each step went")
    private boolean timings;

    @Override
    public Integer call() {
        top.showTimings(timings);
        if (timeout != null && (timeout.isZero() || timeout.isNegative())) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "a time limit of nothing is not accepted",
                    "leave --timeout out for none");
        }
        return new Workplace(top, here)
                .work(configuration ->
                        requests(new ConfiguredJobs(
                                        configuration, top.surroundings().jobTypes()))
                                .stream()
                                .map(request ->
                                        (Workplace.Asking) (requests, node) -> requests.launch(request.onNode(node)))
                                .toList());
    }

    private List<LaunchRequest> requests(ConfiguredJobs jobs) {
        var wish = new ConfiguredJobs.Wish(name, cluster, settings, dryRun, timeout, NightshiftCommand.user());
        return confirmed ? jobs.confirmed(wish) : jobs.requests(wish);
    }
}
