package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Who blocks whom: the sessions at the root of each queue for a lock, with all that wait behind them. */
final class BlockersCheck extends SqlCheck {

    private static final String SQL = """
            WITH RECURSIVE waiting AS MATERIALIZED (
                SELECT a.pid, pg_blocking_pids(a.pid) AS blockers,
                       coalesce((SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted),
                                clock_timestamp()) AS since
                FROM pg_stat_activity a
                WHERE a.wait_event_type = 'Lock'),
            queue (root, pid, since) AS (
                SELECT b.pid, w.pid, w.since FROM waiting w CROSS JOIN unnest(w.blockers) AS b (pid)
                WHERE b.pid NOT IN (SELECT pid FROM waiting)
                UNION
                SELECT q.root, w.pid, w.since FROM queue q JOIN waiting w ON q.pid = ANY (w.blockers))
            SELECT q.root, count(*) AS waiting, min(q.pid) AS one,
                   extract(epoch FROM clock_timestamp() - min(q.since))::float8 AS longest,
                   coalesce(quote_ident(a.usename), 'unknown') AS role, coalesce(a.datname, '-') AS database,
                   coalesce(nullif(a.application_name, ''), 'without a name') AS application,
                   coalesce(a.state, '') AS state
            FROM queue q LEFT JOIN pg_stat_activity a ON a.pid = q.root
            GROUP BY q.root, a.usename, a.datname, a.application_name, a.state
            ORDER BY longest DESC, waiting DESC, q.root
            """;

    /** @param pid 0 is a prepared transaction */
    private record Root(
            int pid,
            long waiting,
            int one,
            Duration longest,
            String role,
            String database,
            String application,
            String state) {}

    BlockersCheck() {
        super("blockers", Where.EVERY_NODE, "sessions wait for a lock");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<Root> roots = session.query(
                SQL,
                row -> new Root(
                        row.getInt("root"),
                        row.getLong("waiting"),
                        row.getInt("one"),
                        Objects.requireNonNull(HealthSession.seconds(row, "longest")),
                        row.getString("role"),
                        row.getString("database"),
                        row.getString("application"),
                        row.getString("state")));
        List<HealthResult> results = new ArrayList<>();
        // One finding for a node, of the longest wait: who blocks changes from look to look.
        Optional<Root> worst = roots.stream()
                .filter(root ->
                        session.settings().blocked().severity(root.longest()).isPresent())
                .findFirst();
        worst.ifPresent(root -> results.add(wrong(
                session.settings().blocked().severity(root.longest()).orElseThrow(),
                session.address(),
                Words.count(root.waiting(), "session") + (root.waiting() == 1 ? " waits" : " wait") + " for up to "
                        + Words.duration(root.longest()) + " behind " + blocker(root) + ", process " + root.one()
                        + " among them" + (roots.size() == 1 ? "" : "; " + roots.size() + " such queues in all"),
                root.pid() == 0
                        ? "SELECT gid, prepared, owner, database FROM pg_prepared_xacts ORDER BY prepared; then ROLLBACK"
                                + " PREPARED or COMMIT PREPARED"
                        : "look at it: SELECT query FROM pg_stat_activity WHERE pid = " + root.pid()
                                + "; to end it: SELECT "
                                + (root.state().startsWith("idle") ? "pg_terminate_backend(" : "pg_cancel_backend(")
                                + root.pid() + ")")));
        return results;
    }

    private static String blocker(Root root) {
        return root.pid() == 0
                ? "a prepared transaction"
                : "process " + root.pid() + " of role " + root.role() + " in database " + root.database()
                        + " (application " + root.application() + "), which is " + root.state();
    }
}
