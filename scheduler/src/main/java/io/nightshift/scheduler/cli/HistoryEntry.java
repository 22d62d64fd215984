package io.nightshift.scheduler.cli;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobReport;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.RunTerms;
import java.time.Instant;
import java.util.Map;
import org.springframework.dao.DataAccessException;

/**
 * A row in the history for what a command did itself, if there is one to write into: the work needs the storages only.
 *
 * @param type what was done, as the command is called
 */
record HistoryEntry(String type, String cluster, Map<String, Object> settings, Instant startedAt) {

    void enter(NightshiftCommand top, Surroundings surroundings, Ledger.Outcome outcome) {
        LaunchRequest done = new LaunchRequest(
                type,
                type,
                cluster,
                Cause.REQUEST,
                System.getProperty("user.name", "unknown"),
                settings,
                false,
                RunTerms.ON_DEMAND,
                null,
                null);
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            if (ledger != null) {
                ledger.requests().record(done, outcome, startedAt);
            }
        } catch (NightshiftException | DataAccessException away) {
            top.err().println("nightshift: not entered in the history: " + away.getMessage());
        }
    }

    /** What failed, with its reason. */
    static Ledger.Outcome failed(NightshiftException failure) {
        RunState state = failure.kind() == FailureKind.CANCELLED ? RunState.STOPPED : RunState.FAILED;
        return new Ledger.Outcome(state, failure.getMessage(), failure.kind().exitStatus(), JobReport.EMPTY);
    }
}
