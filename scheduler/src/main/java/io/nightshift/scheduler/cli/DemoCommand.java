package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.sample.ChanukaWorkload;
import io.nightshift.infra.sample.WorkloadPlan;
import io.nightshift.infra.sample.WorkloadReport;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.ledger.RunHistory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "demo",
        description = {
            "Backs up an embedded PostgreSQL with sample data while people work on it, then shows the backup and the history.",
            "The cluster `demo` stays in the home; other commands reach it with --cluster demo."
        })
final class DemoCommand implements Callable<Integer> {

    /** A base backup while this many sessions read and write. */
    private static final int SESSIONS = 2;

    private static final double TRANSACTIONS_PER_SECOND = 100;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--reset", description = "throw the demo cluster and its backups away and begin afresh")
    private boolean reset;

    @Option(
            names = "--scale",
            paramLabel = "F",
            defaultValue = "1",
            description = "size of the sample data; 1 is about 160 MB on disk (default: ${DEFAULT-VALUE})")
    private double scale;

    @Override
    public Integer call() {
        if (!(scale > 0 && scale <= 100)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "scale " + scale + " is not accepted",
                    "accepted: more than 0, up to 100");
        }
        Surroundings surroundings = top.surroundings();
        surroundings.home().create();
        say("starting PostgreSQL and the cluster demo ...");
        try (DemoCluster demo = DemoCluster.join(surroundings)) {
            if (reset) {
                demo.empty();
            }
            fill(demo);
            Configuration configuration = demo.in(surroundings.configuration());
            try (ControlDatabase controlDatabase = ControlDatabase.open(
                    surroundings.home(), configuration.program().control())) {
                controlDatabase.migrate();
                return night(surroundings, configuration, demo, controlDatabase);
            }
        }
    }

    @SuppressWarnings("try") // the watch is for closing only
    private void fill(DemoCluster demo) {
        Progress progress = new Progress();
        try (ProgressWatch watch = new ProgressWatch(top, () -> Optional.of(progress.snapshot()))) {
            demo.fill(scale, progress);
        }
    }

    private int night(
            Surroundings surroundings, Configuration configuration, DemoCluster demo, ControlDatabase controlDatabase) {
        LaunchRequest request = new ConfiguredJobs(configuration, surroundings.jobTypes())
                .requests(new ConfiguredJobs.Wish(
                        "full-backup", DemoCluster.NAME, Map.of("checkpoint", "fast"), false, null, "demo"))
                .get(0);
        Run run;
        WorkloadReport workload;
        try (Nightshift nightshift = Nightshift.forOwnRuns(surroundings, configuration, controlDatabase)) {
            top.onSignal(() -> nightshift.cancel("stopped by a signal, as Ctrl-C sends it"));
            nightshift.closeLostRuns();
            top.checkSignal();
            say("full backup, while " + SESSIONS + " sessions read and write ...");
            RunFollower follower = new RunFollower(top, controlDatabase);
            try (ChanukaWorkload people = ChanukaWorkload.start(
                    demo::connect,
                    WorkloadPlan.everything().connections(SESSIONS).transactionsPerSecond(TRANSACTIONS_PER_SECOND))) {
                run = follower.work(nightshift, nightshift.requests().launch(request.onNode(nightshift.node())));
                workload = people.stop();
            }
        }
        show(surroundings, configuration, controlDatabase, run, workload);
        return run.exitStatus() == null ? FailureKind.BUG.exitStatus() : run.exitStatus();
    }

    private void show(
            Surroundings surroundings,
            Configuration configuration,
            ControlDatabase controlDatabase,
            Run run,
            WorkloadReport workload) {
        BackupList backups = BackupList.of(surroundings, configuration, DemoCluster.NAME);
        List<Run> history = new RunHistory(controlDatabase.connections())
                .runs(RunFilter.newest(10).ofCluster(DemoCluster.NAME));
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("run", Json.toMap(run));
            document.put("backups", backups.json());
            document.put("runs", history.stream().map(Json::toMap).toList());
            top.print(document);
            return;
        }
        top.out().println();
        RunText.outcome(top.out(), run);
        top.out().println();
        top.out()
                .printf(
                        "  meanwhile %,d transactions ran on it, %,d of them writes%n",
                        workload.transactions(), workload.writes());
        top.out().println();
        top.out().println("Backups of cluster demo");
        backups.print(top.out());
        top.out().println();
        top.out().println("History");
        RunText.list(top.out(), history);
        top.out().println();
        top.out()
                .println("Next: nightshift show " + run.id()
                        + "    nightshift backups    nightshift run full-backup --cluster demo");
    }

    private void say(String line) {
        if (!top.isJson()) {
            top.err().println(line);
        }
    }
}
