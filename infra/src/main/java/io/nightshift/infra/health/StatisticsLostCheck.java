package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether the primary has lost its statistics, as it does when it recovers from a crash or an immediate shutdown; one that
 * was started on a base backup and never promoted looks the same, and has none either. Until they
 * grow again autovacuum does not see which tables need it, and checks that count see little. All of them begin anew in one
 * moment then; a reset by hand is of one kind. Those of a base backup begin before it is promoted, which is when its newest
 * timeline history file is written (to the second): they are the first ones.
 */
final class StatisticsLostCheck extends SqlCheck {

    private static final String SQL = """
            SELECT CASE WHEN a.stats_reset = b.stats_reset AND a.stats_reset = w.stats_reset
                         AND a.stats_reset > to_timestamp(c.system_identifier >> 32) + ? * interval '1 second'
                         AND date_trunc('second', a.stats_reset) > coalesce(
                             (SELECT max(modification) FROM pg_ls_waldir() WHERE name LIKE '%.history'), '-infinity')
                        THEN extract(epoch FROM clock_timestamp() - a.stats_reset)::float8 END AS since,
                   to_char(a.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS at
            FROM pg_stat_archiver a, pg_stat_bgwriter b, pg_stat_wal w, pg_control_system() c
            """;

    /** Statistics that begin sooner after initdb are the first ones. */
    private static final Duration FIRST = Duration.ofMinutes(5);

    private record Lost(@Nullable Duration since, String at) {}

    private final Duration first;

    StatisticsLostCheck() {
        this(FIRST);
    }

    StatisticsLostCheck(Duration first) {
        super("statistics-lost", Where.PRIMARY, "the server came up without its statistics");
        this.first = first;
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Lost lost = session.single(
                SQL, row -> new Lost(HealthSession.seconds(row, "since"), row.getString("at")), first.toSeconds());
        Duration since = lost.since();
        return since == null || since.compareTo(session.settings().statisticsLost()) > 0
                ? List.of()
                : List.of(warning(
                        session.address(),
                        "all statistics began anew at " + lost.at() + " UTC, " + Words.duration(since)
                                + " ago: the server came up after a crash or an immediate shutdown, or on a base backup",
                        "let autovacuum see the tables again: vacuumdb --all --analyze-only; unless it was restored then,"
                                + " see its log for why it ended"));
    }
}
