package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Whether autovacuum works at all. */
final class AutovacuumCheck extends SqlCheck {

    private record Settings(boolean autovacuum, boolean trackCounts) {}

    AutovacuumCheck() {
        super("autovacuum", Where.EVERY_NODE, "autovacuum is off");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Settings settings =
                session.single("""
                SELECT current_setting('autovacuum')::bool AS autovacuum,
                       current_setting('track_counts')::bool AS track_counts
                """, row -> new Settings(row.getBoolean("autovacuum"), row.getBoolean("track_counts")));
        List<HealthResult> results = new ArrayList<>();
        if (!settings.autovacuum()) {
            results.add(critical(
                    session.address(),
                    "autovacuum is off: tables bloat, statistics grow old, and only wraparound will start it",
                    "ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()"));
        } else if (!settings.trackCounts()) {
            results.add(critical(
                    session.address(),
                    "track_counts is off: autovacuum does not see what it should do",
                    "ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf()"));
        }
        return results;
    }
}
