package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ControlDatabaseUrl;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.history.RunLogs;
import io.nightshift.scheduler.ledger.JobPasts;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.NodeLocks;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.report.ReportLedger;
import io.nightshift.scheduler.watchdog.Conditions;
import java.util.Optional;

/** The ledger for a command that works without a Spring context: not migrated, and nothing made that was not there. */
final class LedgerAtHand implements AutoCloseable {

    private final ControlDatabase controlDatabase;

    private LedgerAtHand(ControlDatabase controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    /** Empty before the first launch. */
    static Optional<LedgerAtHand> open(Surroundings surroundings) {
        ControlDatabaseUrl own =
                ControlDatabaseUrl.of(surroundings.environment()).orElse(null);
        return ControlDatabase.exists(surroundings.home(), own)
                ? Optional.of(new LedgerAtHand(ControlDatabase.open(surroundings.home(), own)))
                : Optional.empty();
    }

    RunHistory history() {
        return new RunHistory(controlDatabase.connections());
    }

    ReportLedger report() {
        return new ReportLedger(controlDatabase.connections());
    }

    RunLogs logs() {
        return new RunLogs(controlDatabase.connections());
    }

    /** For entering what was done without a run of its own. */
    Requests requests() {
        return new Requests(controlDatabase.connections());
    }

    Pauses pauses() {
        return new Pauses(controlDatabase.connections());
    }

    Conditions conditions() {
        return new Conditions(controlDatabase.connections());
    }

    JobPasts pasts() {
        return new JobPasts(controlDatabase.connections());
    }

    /** Whether some process takes care of due times and queued runs. */
    boolean someoneServes(Surroundings surroundings) {
        NightshiftNode self = NightshiftNode.thisProcess(surroundings.home().path());
        return new Nodes(controlDatabase.connections(), new NodeLocks(self)).someoneServes();
    }

    @Override
    public void close() {
        controlDatabase.close();
    }
}
