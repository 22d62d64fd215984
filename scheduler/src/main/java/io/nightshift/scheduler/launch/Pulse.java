package io.nightshift.scheduler.launch;

import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.Nodes;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Once a second: this process lives, so far are its runs, and does anybody want one of them to stop? A control database
 * that is away only delays that.
 */
public final class Pulse {

    private static final Logger LOG = LoggerFactory.getLogger(Pulse.class);

    private final NightshiftNode node;
    private final boolean serves;
    private final Nodes nodes;
    private final Ledger ledger;
    private final ActiveRuns activeRuns;
    private boolean away;
    private volatile boolean stopped;

    public Pulse(NightshiftNode node, boolean serves, Nodes nodes, Ledger ledger, ActiveRuns activeRuns) {
        this.node = node;
        this.serves = serves;
        this.nodes = nodes;
        this.ledger = ledger;
        this.activeRuns = activeRuns;
    }

    public void start(ScheduledExecutorService timers) {
        Future<?> unused = timers.scheduleWithFixedDelay(this::beat, 0, 1, TimeUnit.SECONDS);
    }

    /** No beat begins after this, so that the process can leave. */
    public void stop() {
        stopped = true;
    }

    private void beat() {
        if (stopped) {
            return;
        }
        try {
            nodes.beat(node, serves);
            activeRuns
                    .all()
                    .forEach(run -> ledger.pulse(
                                    run.id(), run.lease(), run.progress().snapshot())
                            .ifPresent(run::cancel));
            away = false;
        } catch (RuntimeException e) {
            if (!away) {
                LOG.warn("control database does not answer, runs go on: {}", e.getMessage());
            }
            away = true;
        }
    }
}
