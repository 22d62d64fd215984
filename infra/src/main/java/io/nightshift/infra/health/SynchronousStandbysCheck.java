package io.nightshift.infra.health;

import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the standbys that commits wait for are there. Without them every commit hangs. */
final class SynchronousStandbysCheck extends SqlCheck {

    /** As in the description of synchronous_standby_names in the PostgreSQL manual. */
    private static final Pattern NUMBER = Pattern.compile("(?i)\\s*(?:FIRST|ANY)?\\s*(\\d+)\\s*\\(.*", Pattern.DOTALL);

    private record State(String names, String commit, long synchronous, String connected) {}

    SynchronousStandbysCheck() {
        super("synchronous-standbys", Where.PRIMARY, "commits wait for standbys that are not there");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        State state = session.single(
                """
                SELECT current_setting('synchronous_standby_names') AS names,
                       current_setting('synchronous_commit') AS commit,
                       count(*) FILTER (WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming') AS synchronous,
                       coalesce(string_agg(application_name, ', ' ORDER BY application_name), 'none') AS connected
                FROM pg_stat_replication
                """,
                row -> new State(
                        row.getString("names"),
                        row.getString("commit"),
                        row.getLong("synchronous"),
                        row.getString("connected")));
        int needed = needed(state.names());
        if (state.synchronous() >= needed) {
            return List.of();
        }
        boolean waits = !state.commit().equals("off") && !state.commit().equals("local");
        return List.of(wrong(
                waits ? Severity.CRITICAL : Severity.WARNING,
                session.address(),
                "synchronous_standby_names asks for "
                        + Words.count(needed, "standby")
                        + " and " + state.synchronous() + " are there ('" + state.names() + "'; connected: "
                        + state.connected() + ")" + (waits ? ": commits hang" : ""),
                "start the standby that is missing, or give up waiting for it: ALTER SYSTEM SET synchronous_standby_names ="
                        + " ''; SELECT pg_reload_conf()"));
    }

    /** How many standbys a commit waits for. */
    static int needed(String names) {
        if (names.isBlank()) {
            return 0;
        }
        Matcher number = NUMBER.matcher(names);
        return number.matches() ? Integer.parseInt(number.group(1)) : 1;
    }
}
