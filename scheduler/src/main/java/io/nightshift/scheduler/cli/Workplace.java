package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.NodeLocks;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Where the runs that a command asks for are worked: by a process that serves, or by this one and nobody else. */
final class Workplace {

    /** Asks for one run, for a node or, with null, for whoever serves. */
    @FunctionalInterface
    interface Asking {
        RunId ask(Requests requests, @Nullable String node);
    }

    private final NightshiftCommand top;
    private final boolean here;

    Workplace(NightshiftCommand top, boolean here) {
        this.top = top;
        this.here = here;
    }

    /** Asks, sees the runs through to their ends, prints those; returns the exit status. */
    int work(Function<Configuration, List<Asking>> what) {
        Surroundings surroundings = top.surroundings();
        try (DemoCluster demo = DemoCluster.joinIfPresent(surroundings)) {
            Configuration configuration = demo.in(surroundings.configuration());
            List<Asking> asked = what.apply(configuration);
            surroundings.home().create();
            try (ControlDatabase controlDatabase = ControlDatabase.open(
                    surroundings.home(), configuration.program().control())) {
                controlDatabase.migrate();
                RunFollower follower = new RunFollower(top, controlDatabase);
                return follower.report(
                        !here && someoneServes(surroundings, controlDatabase)
                                ? follow(controlDatabase, follower, asked)
                                : workHere(
                                        surroundings,
                                        controlDatabase.in(configuration),
                                        controlDatabase,
                                        follower,
                                        asked));
            }
        }
    }

    private static boolean someoneServes(Surroundings surroundings, ControlDatabase controlDatabase) {
        NightshiftNode self = NightshiftNode.thisProcess(surroundings.home().path());
        return new Nodes(controlDatabase.connections(), new NodeLocks(self)).someoneServes();
    }

    /** Queues all of them before it follows the first. */
    private static List<Run> follow(ControlDatabase controlDatabase, RunFollower follower, List<Asking> asked) {
        Requests requests = new Requests(controlDatabase.connections());
        return asked.stream().map(asking -> asking.ask(requests, null)).toList().stream()
                .map(follower::follow)
                .toList();
    }

    private List<Run> workHere(
            Surroundings surroundings,
            Configuration configuration,
            ControlDatabase controlDatabase,
            RunFollower follower,
            List<Asking> asked) {
        List<Run> ended = new ArrayList<>();
        try (Nightshift nightshift = Nightshift.forOwnRuns(surroundings, configuration, controlDatabase)) {
            top.onSignal(() -> nightshift.cancel("stopped by a signal, as Ctrl-C sends it"));
            nightshift.closeLostRuns();
            for (Asking asking : asked) {
                top.checkSignal();
                ended.add(follower.work(nightshift, asking.ask(nightshift.requests(), nightshift.node())));
            }
        }
        return ended;
    }
}
