package io.nightshift.jobs.backup;

import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.time.Clock;
import java.util.Optional;

/**
 * Makes sure that the very node a backup is read from can give one. Of several standbys the one that was checked may be
 * gone or too far behind when the stream begins; then the one that takes its place is checked too.
 */
final class SourceCheck {

    private static final String CHECKED = "checked node";

    private final RunContext run;
    private final Clock clock;

    SourceCheck(RunContext run, Clock clock) {
        this.run = run;
        this.clock = clock;
    }

    SourceState require(ManagedNode node) {
        SourceState state = state(node);
        Preflight preflight = new Preflight(run.cluster(), state);
        preflight.requireBackupPossible();
        preflight.findings().forEach(run::report);
        run.remember(SourceState.VERSION, state.facts().version().toString());
        run.remember(CHECKED, node.address().toString());
        return state;
    }

    void requireUnlessChecked(ManagedNode node) {
        if (!run.recall(CHECKED).equals(Optional.of(node.address().toString()))) {
            require(node);
        }
    }

    private SourceState state(ManagedNode node) {
        try (ServerSession session = ServerSession.open(node, run)) {
            return SourceState.of(node, session.connection(), clock);
        } catch (SQLException | NightshiftException e) {
            // A stopped run ends as such, whatever the cut session said.
            run.cancellation().check();
            throw e instanceof SQLException cut
                    ? SqlStates.failure("check of cluster " + run.cluster(), cut)
                    : (NightshiftException) e;
        }
    }
}
