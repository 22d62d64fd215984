package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.JobReport;
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
import io.nightshift.scheduler.ledger.RunState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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

    private static final int MOST_NIGHTS = 400;

    /** What the reports of retention say at length. */
    private static final Set<String> TOLD = Set.of("policy", "backups");

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--reset", description = "throw the demo cluster and its backups away and begin afresh")
    private boolean reset;

    @Option(
            names = "--faults",
            description = "damage it instead, for integrity-validation to find; --reset makes it whole again")
    private boolean faults;

    @Option(
            names = "--nights",
            paramLabel = "N",
            description =
                    "plays so many nights of index-analysis on a moved clock instead, and shows what the last one has found;"
                            + " an index is called unused after 35")
    private @Nullable Integer nights;

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
        if (nights != null && (nights < 1 || nights > MOST_NIGHTS || faults)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    faults ? "--nights and --faults do not go together" : "nights " + nights + " is not accepted",
                    faults ? "one after the other" : "accepted: 1 to " + MOST_NIGHTS);
        }
        Surroundings surroundings = top.surroundings();
        surroundings.home().create();
        if (faults) {
            return faults(surroundings);
        }
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
                if (nights != null) {
                    return new DemoNights(top, surroundings, configuration, demo, controlDatabase).play(nights);
                }
                return night(surroundings, configuration, demo, controlDatabase);
            }
        }
    }

    private int faults(Surroundings surroundings) {
        if (reset) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--reset and --faults do not go together",
                    "first --reset, which ends with sound backups, then --faults");
        }
        List<DemoFaults.Fault> planted = DemoFaults.plant(surroundings);
        if (top.isJson()) {
            top.print(Map.of("cluster", DemoCluster.NAME, "planted", planted));
            return 0;
        }
        top.out().println("Planted in cluster " + DemoCluster.NAME);
        TextTable table = new TextTable("object", "what");
        planted.forEach(fault -> table.row(fault.object(), fault.what()));
        table.printRows(top.out(), "  ");
        top.out().println();
        top.out().println("Next: nightshift run integrity-validation --cluster " + DemoCluster.NAME);
        return 0;
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
        Run run;
        WorkloadReport workload;
        DemoAccident.Story accident = null;
        DemoCopy.Story copy = null;
        List<Run> further = new ArrayList<>();
        try (Nightshift nightshift = Nightshift.forOwnRuns(surroundings, configuration, controlDatabase)) {
            Cancellation cancellation = new Cancellation();
            top.onSignal(() -> {
                nightshift.cancel("stopped by a signal, as Ctrl-C sends it");
                cancellation.cancel("stopped by a signal, as Ctrl-C sends it");
            });
            nightshift.closeLostRuns();
            top.checkSignal();
            try (BesideRun archive = BesideRun.begin(
                    nightshift,
                    request(
                            surroundings,
                            configuration,
                            nightshift,
                            "wal-archive",
                            Map.of("store-partial-every", "1s")))) {
                say("full backup, while " + SESSIONS + " sessions read and write and the WAL is archived ...");
                RunFollower follower = new RunFollower(top, controlDatabase);
                try (ChanukaWorkload people = ChanukaWorkload.start(
                        demo::connect,
                        WorkloadPlan.everything()
                                .connections(SESSIONS)
                                .transactionsPerSecond(TRANSACTIONS_PER_SECOND))) {
                    run = follower.work(
                            nightshift,
                            nightshift
                                    .requests()
                                    .launch(request(
                                            surroundings,
                                            configuration,
                                            nightshift,
                                            "full-backup",
                                            Map.of("checkpoint", "fast"))));
                    workload = people.stop();
                }
                if (run.state() == RunState.COMPLETED) {
                    say("somebody empties the table " + DemoAccident.TABLE + "; restoring to the moment before ...");
                    accident = accident(surroundings, configuration, demo, cancellation);
                    say("incremental backup of what has changed since ...");
                    LaunchRequest incremental = request(
                            surroundings,
                            configuration,
                            nightshift,
                            "incremental-backup",
                            Map.of("backup.checkpoint", "fast"));
                    further.add(follower.work(nightshift, nightshift.requests().launch(incremental)));
                    say("restore test: restored once more, checked, and kept for an hour ...");
                    LaunchRequest test =
                            request(surroundings, configuration, nightshift, "restore-test", Map.of("keep-copy", "1h"));
                    further.add(follower.work(nightshift, nightshift.requests().launch(test)));
                    copy = DemoCopy.use(
                                    surroundings.home().restoredCopies(),
                                    demo,
                                    surroundings.clock().instant())
                            .orElse(null);
                }
                archive.requireAlive();
                if (run.state() == RunState.COMPLETED) {
                    say("everything in the storage is read back ...");
                    LaunchRequest verification =
                            request(surroundings, configuration, nightshift, "verify-storage", Map.of("every", "1d"));
                    further.add(follower.work(nightshift, nightshift.requests().launch(verification)));
                    say("retention: what of it is kept, and why ...");
                    LaunchRequest retention = request(
                            surroundings,
                            configuration,
                            nightshift,
                            "retention",
                            Map.of("window", "7d", "fulls", "1", "confirmed", "true")); // it is a demo
                    further.add(follower.work(nightshift, nightshift.requests().launch(retention)));
                }
            }
        } finally {
            surroundings.home().restoredCopies().discard(DemoCluster.NAME);
        }
        show(surroundings, configuration, controlDatabase, new Night(run, workload, accident, copy, further));
        return Stream.concat(Stream.of(run), further.stream())
                .mapToInt(one -> one.exitStatus() == null ? FailureKind.BUG.exitStatus() : one.exitStatus())
                .max()
                .orElseThrow();
    }

    private static LaunchRequest request(
            Surroundings surroundings,
            Configuration configuration,
            Nightshift nightshift,
            String type,
            Map<String, String> settings) {
        return new ConfiguredJobs(configuration, surroundings.jobTypes())
                .requests(new ConfiguredJobs.Wish(type, DemoCluster.NAME, settings, false, null, "demo"))
                .get(0)
                .onNode(nightshift.node());
    }

    @SuppressWarnings("try") // the watch is for closing only
    private DemoAccident.Story accident(
            Surroundings surroundings, Configuration configuration, DemoCluster demo, Cancellation cancellation) {
        Progress progress = new Progress();
        try (ProgressWatch watch = new ProgressWatch(top, () -> Optional.of(progress.snapshot()))) {
            DemoAccident.Story story = new DemoAccident(
                            demo,
                            BackupList.storagesOf(surroundings, configuration, DemoCluster.NAME),
                            BackupList.of(surroundings, configuration, DemoCluster.NAME)
                                    .backups(),
                            demo.restored())
                    .happen(progress, cancellation);
            ForegroundWork.keep(top, surroundings, story.throughput());
            return story;
        }
    }

    /** What was done. */
    private record Night(
            Run run,
            WorkloadReport workload,
            DemoAccident.@Nullable Story accident,
            DemoCopy.@Nullable Story copy,
            List<Run> further) {}

    private void show(
            Surroundings surroundings, Configuration configuration, ControlDatabase controlDatabase, Night night) {
        Run run = night.run();
        WorkloadReport workload = night.workload();
        DemoAccident.Story accident = night.accident();
        BackupList backups = BackupList.of(surroundings, configuration, DemoCluster.NAME);
        List<Run> history = new RunHistory(controlDatabase.connections())
                .runs(RunFilter.newest(10).ofCluster(DemoCluster.NAME));
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("run", Json.toMap(run));
            document.put("backups", backups.json());
            document.put("runs", history.stream().map(Json::toMap).toList());
            document.put("restorability", backups.restorabilityJson());
            if (accident != null) {
                document.put(
                        "accident",
                        Map.of(
                                "table", DemoAccident.TABLE,
                                "rowsBefore", accident.before(),
                                "rowsLost", accident.before() - accident.lost(),
                                "target", accident.target(),
                                "rowsRestored", accident.restored(),
                                "rowsNow", accident.now(),
                                "seconds", accident.took().toMillis() / 1000.0));
            }
            if (night.copy() != null) {
                document.put(
                        "restoredCopy",
                        Map.of(
                                "directory", night.copy().copy().directory(),
                                "until", night.copy().copy().until(),
                                "table", night.copy().table(),
                                "rowsInCopy", night.copy().rowsInCopy(),
                                "rowsInSource", night.copy().rowsInSource()));
            }
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
        if (accident != null) {
            tell(accident);
        }
        for (Run each : night.further()) {
            top.out().println(each.type() + "  " + each.state());
            JobReport report = each.report();
            top.out().println("  " + (report == null || each.reason() != null ? each.reason() : report.summary()));
            if (report != null) {
                report.sections().stream()
                        .filter(section -> TOLD.contains(section.title()))
                        .forEach(section -> RunText.section(top.out(), section));
            }
            top.out().println();
        }
        if (night.copy() != null) {
            night.copy().tell(top.out());
        }
        top.out().println("Backups of cluster demo");
        backups.print(top.out());
        top.out().println();
        top.out().println("History");
        RunText.list(top.out(), history);
        top.out().println();
        top.out()
                .println("Next: nightshift show " + run.id()
                        + "    nightshift backups    nightshift restore latest --cluster demo --preview");
    }

    private void tell(DemoAccident.Story accident) {
        top.out().println("Accident");
        top.out()
                .printf(
                        "  %,d rows in %s; TRUNCATE left %,d%n",
                        accident.before(), DemoAccident.TABLE, accident.lost());
        top.out()
                .printf(
                        "  restored %s to %s, beside it: %,d rows, after %s%n",
                        accident.plan().document().label(),
                        accident.target(),
                        accident.restored(),
                        RunText.duration(accident.took()));
        top.out().printf("  copied back: %,d rows in %s%n", accident.now(), DemoAccident.TABLE);
        top.out().println();
    }

    private void say(String line) {
        if (!top.isJson()) {
            top.err().println(line);
        }
    }
}
