package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.NodeLocks;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Run;
import java.time.Duration;
import java.util.ArrayList;
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

    @Option(names = "--timeout", paramLabel = "2h", description = "stop the run after so long")
    private @Nullable Duration timeout;

    @Option(names = "--here", description = "work the run in this process, whether or not serve is up")
    private boolean here;

    @Override
    public Integer call() {
        if (timeout != null && (timeout.isZero() || timeout.isNegative())) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "a time limit of nothing is not accepted",
                    "leave --timeout out for none");
        }
        Surroundings surroundings = top.surroundings();
        try (DemoCluster demo = DemoCluster.joinIfPresent(surroundings)) {
            Configuration configuration = demo.in(surroundings.configuration());
            List<LaunchRequest> requests = new ConfiguredJobs(configuration, surroundings.jobTypes())
                    .requests(new ConfiguredJobs.Wish(
                            name, cluster, settings, dryRun, timeout, System.getProperty("user.name", "unknown")));
            surroundings.home().create();
            try (ControlDatabase controlDatabase = ControlDatabase.open(
                    surroundings.home(), configuration.program().control())) {
                controlDatabase.migrate();
                RunFollower follower = new RunFollower(top, controlDatabase);
                if (!here && someoneServes(surroundings, controlDatabase)) {
                    return report(follower.followQueued(requests));
                }
                return report(workHere(surroundings, configuration, controlDatabase, follower, requests));
            }
        }
    }

    private static boolean someoneServes(Surroundings surroundings, ControlDatabase controlDatabase) {
        NightshiftNode self = NightshiftNode.thisProcess(surroundings.home().path());
        return new Nodes(controlDatabase.connections(), new NodeLocks(self)).someoneServes();
    }

    private List<Run> workHere(
            Surroundings surroundings,
            Configuration configuration,
            ControlDatabase controlDatabase,
            RunFollower follower,
            List<LaunchRequest> requests) {
        List<Run> ended = new ArrayList<>();
        try (Nightshift nightshift = Nightshift.forOwnRuns(surroundings, configuration, controlDatabase)) {
            top.onSignal(() -> nightshift.cancel("stopped by a signal, as Ctrl-C sends it"));
            nightshift.closeLostRuns();
            for (LaunchRequest request : requests) {
                top.checkSignal();
                RunId run = nightshift.requests().launch(request.onNode(nightshift.node()));
                ended.add(follower.work(nightshift, run));
            }
        }
        return ended;
    }

    private int report(List<Run> runs) {
        if (top.isJson()) {
            top.print(
                    runs.size() == 1
                            ? Json.toMap(runs.get(0))
                            : Map.of("runs", runs.stream().map(Json::toMap).toList()));
        } else {
            runs.forEach(run -> RunText.outcome(top.out(), run));
        }
        return exitStatus(runs);
    }

    /** Of several runs the one that asks for attention first. */
    private static int exitStatus(List<Run> runs) {
        int worst = 0;
        for (Run run : runs) {
            Integer status = run.exitStatus();
            if (status == null) {
                throw new NightshiftException(
                        FailureKind.POSTGRES_UNAVAILABLE,
                        "run " + run.id() + " has no outcome yet",
                        "nightshift show " + run.id());
            }
            worst = worst == 0 || worst == 6 ? Math.max(worst, status) : worst;
        }
        return worst;
    }
}
