package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.ServerKeeper;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "serve",
        description =
                "Runs the schedule and takes queued runs until it is told to end; health and metrics over HTTP on loopback.")
final class ServeCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Override
    @SuppressWarnings("try") // the keeper is for closing only
    public Integer call() throws InterruptedException, IOException {
        Surroundings surroundings = top.surroundings();
        surroundings.home().create();
        CountDownLatch asked = new CountDownLatch(1);
        try (DemoCluster demo = DemoCluster.joinIfPresent(surroundings)) {
            Configuration configured = demo.in(surroundings.configuration());
            try (ControlDatabase controlDatabase = ControlDatabase.open(
                    surroundings.home(), configured.program().control())) {
                controlDatabase.migrate();
                Configuration configuration = controlDatabase.in(configured);
                Duration deadline = configuration.program().shutdownDeadline();
                top.onSignal(asked::countDown, deadline);
                try (ServerKeeper keeper =
                                new ServerKeeper(List.of(controlDatabase::ensureRunning, demo::ensureRunning));
                        Nightshift nightshift = Nightshift.serving(surroundings, configuration, controlDatabase)) {
                    announce(surroundings, configuration, nightshift);
                    asked.await();
                    announceEnd(nightshift, deadline);
                    nightshift.leave(deadline);
                } finally {
                    Files.deleteIfExists(surroundings.home().httpAddress());
                }
                return 0;
            }
        }
    }

    private void announceEnd(Nightshift nightshift, Duration deadline) {
        int working = nightshift.activeRuns().count();
        if (working > 0) {
            top.err()
                    .println("ending: " + working + (working == 1 ? " run has " : " runs have ")
                            + Durations.print(deadline)
                            + " to come to the end of a step; what is not done goes on at the next start");
        }
    }

    private void announce(Surroundings surroundings, Configuration configuration, Nightshift nightshift) {
        String address = "http://" + configuration.program().http().address() + ":" + nightshift.httpPort();
        try {
            Files.writeString(surroundings.home().httpAddress(), address + "\n");
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "file " + surroundings.home().httpAddress() + " not written: " + e.getMessage(),
                    null,
                    e);
        }
        if (top.isJson()) {
            top.print(Map.of("node", nightshift.node(), "http", address));
            return;
        }
        top.out().println("nightshift serves as " + nightshift.node());
        top.out().println("  health   " + address + "/actuator/health");
        top.out().println("  metrics  " + address + "/actuator/prometheus");
        top.out().println("  log      " + surroundings.home().logs().resolve("nightshift.log"));
        TextTable due = new TextTable("job", "cluster", "next due");
        var scheduled = new ConfiguredJobs(configuration, surroundings.jobTypes()).scheduled();
        scheduled.forEach(job -> due.row(
                job.job(),
                job.cluster(),
                job.schedule()
                        .nextToRun(surroundings.clock().instant())
                        .map(next -> RunText.time(next.at()))
                        .orElse("never")));
        if (scheduled.isEmpty()) {
            top.out().println("  no job has a schedule");
        } else {
            due.print(top.out(), "  ");
        }
    }
}
