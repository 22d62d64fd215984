package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Settings that were changed and take effect only at the next restart, when nobody may remember them. */
final class PendingRestartCheck extends SqlCheck {

    PendingRestartCheck() {
        super("pending-restart", Where.EVERY_NODE, "changed settings wait for a restart");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<String> pending = session.query(
                "SELECT name FROM pg_settings WHERE pending_restart AND source <> 'command line' ORDER BY name",
                row -> row.getString(1));
        return pending.isEmpty()
                ? List.of()
                : List.of(warning(
                        session.address(),
                        String.join(", ", pending) + (pending.size() == 1 ? " waits" : " wait")
                                + " for a restart to take effect",
                        "restart the server in its next window; to take it back: ALTER SYSTEM RESET " + pending.get(0)
                                + "; SELECT pg_reload_conf()"));
    }
}
