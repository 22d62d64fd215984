package io.nightshift.infra.health;

import io.nightshift.infra.routing.NodeObservation.Sessions;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** How many of the connections that ordinary roles may open are used, and who has most of them. */
final class ConnectionsCheck extends SqlCheck {

    ConnectionsCheck() {
        super("connections", Where.EVERY_NODE, "connections run out");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Sessions sessions = session.node().sessions();
        long percent = Words.percent(sessions.used(), sessions.allowed());
        var severity = session.settings().connections().severity(percent);
        if (severity.isEmpty()) {
            return List.of();
        }
        record Most(String role, String application, long sessions, long idle) {}
        Optional<Most> most = session
                .query(
                        """
                        SELECT coalesce(quote_ident(usename), 'unknown') AS role,
                               coalesce(nullif(application_name, ''), 'without a name') AS application,
                               count(*) AS sessions, count(*) FILTER (WHERE state = 'idle') AS idle
                        FROM pg_stat_activity WHERE backend_type = 'client backend'
                        GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1
                        """,
                        row -> new Most(
                                row.getString("role"),
                                row.getString("application"),
                                row.getLong("sessions"),
                                row.getLong("idle")))
                .stream()
                .findFirst();
        return List.of(wrong(
                severity.get(),
                session.address(),
                sessions.used() + " of " + sessions.allowed() + " connections are used (" + percent + " %)"
                        + most.map(top -> ", " + top.sessions() + " of them by role " + top.role() + " (application "
                                        + top.application() + "), " + top.idle() + " idle")
                                .orElse(""),
                most.map(top -> "lower the pool of that application; to let idle sessions end: ALTER ROLE " + top.role()
                                        + " SET idle_session_timeout = '10min'; ")
                                .orElse("")
                        + "for more, raise max_connections, which needs a restart"));
    }
}
