package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.ControlDatabaseUrl;
import io.nightshift.infra.health.StoredReadings;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.schema.SchemaBook;
import io.nightshift.infra.schema.StoredSchemas;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.history.RunLogs;
import io.nightshift.scheduler.ledger.JobPasts;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.NightshiftNode;
import io.nightshift.scheduler.ledger.NodeLocks;
import io.nightshift.scheduler.ledger.Nodes;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.report.ReportLedger;
import io.nightshift.scheduler.watchdog.Conditions;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

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

    /** For a command about a run that there must be. */
    static LedgerAtHand with(Surroundings surroundings, long run) {
        return open(surroundings)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "run " + run + " does not exist",
                        "nothing has run in this home yet"));
    }

    /** The configuration with the embedded control database in it, where a file makes that a cluster. */
    Configuration in(Configuration configuration) {
        return controlDatabase.in(configuration);
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

    /** Who lives, as this process sees it. */
    Nodes nodes(Surroundings surroundings) {
        NightshiftNode self = NightshiftNode.thisProcess(surroundings.home().path());
        return new Nodes(controlDatabase.connections(), new NodeLocks(self));
    }

    /** For ending a run that another process has in hand. */
    Ledger ledger() {
        DataSource connections = controlDatabase.connections();
        return new Ledger(connections, new TransactionTemplate(new JdbcTransactionManager(connections)));
    }

    Leases leases() {
        return new Leases(controlDatabase.connections());
    }

    Pauses pauses() {
        return new Pauses(controlDatabase.connections());
    }

    StoredReadings readings() {
        return new StoredReadings(controlDatabase.connections());
    }

    SchemaBook schemas() {
        return new StoredSchemas(controlDatabase.connections());
    }

    Conditions conditions() {
        return new Conditions(controlDatabase.connections());
    }

    JobPasts pasts() {
        return new JobPasts(controlDatabase.connections());
    }

    /** Whether some process takes care of due times and queued runs. */
    boolean someoneServes(Surroundings surroundings) {
        return nodes(surroundings).someoneServes();
    }

    @Override
    public void close() {
        controlDatabase.close();
    }
}
