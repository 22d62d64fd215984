package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Whether somebody has paused replay on a standby and forgotten it. */
final class ReplayPausedCheck extends SqlCheck {

    ReplayPausedCheck() {
        super("replay-paused", Where.STANDBYS, "replay is paused on a standby");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        String state = session.single("SELECT pg_get_wal_replay_pause_state()", row -> row.getString(1));
        return state.equals("not paused")
                ? List.of()
                : List.of(warning(
                        session.address(),
                        "replay is " + state + " at " + session.node().location(),
                        "SELECT pg_wal_replay_resume(); if the server paused itself, its log says which setting is lower"
                                + " than on the primary: raise it and restart"));
    }
}
