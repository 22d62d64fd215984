package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tables that vacuum is far behind with. */
final class DeadTuplesCheck extends SqlCheck {

    private static final int MOST = 10;

    private record Table(
            String name, long live, long dead, @Nullable Duration sinceVacuum) {

        long percent() {
            return Words.percent(dead, live + dead);
        }
    }

    DeadTuplesCheck() {
        super("dead-tuples", Where.DATABASES, "vacuum is far behind with a table");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        HealthSettings settings = session.settings();
        List<Table> tables = session
                .query(
                        """
                        SELECT format('%I.%I', schemaname, relname) AS name, n_live_tup, n_dead_tup,
                               extract(epoch FROM clock_timestamp()
                                       - greatest(last_vacuum, last_autovacuum))::float8 AS since
                        FROM pg_stat_user_tables WHERE n_dead_tup >= ? ORDER BY n_dead_tup DESC
                        """,
                        row -> new Table(
                                row.getString("name"),
                                row.getLong("n_live_tup"),
                                row.getLong("n_dead_tup"),
                                HealthSession.seconds(row, "since")),
                        settings.tuplesFloor())
                .stream()
                .filter(table -> settings.deadTuples().severity(table.percent()).isPresent())
                .toList();
        List<HealthResult> results = new ArrayList<>();
        tables.stream()
                .limit(MOST)
                .forEach(table -> results.add(wrong(
                        settings.deadTuples().severity(table.percent()).orElseThrow(),
                        "table " + table.name() + session.inDatabase(),
                        Words.number(table.dead()) + " of " + Words.number(table.live() + table.dead())
                                + " tuples are dead ("
                                + table.percent() + " %), "
                                + (table.sinceVacuum() == null
                                        ? "never vacuumed since the statistics began"
                                        : "last vacuumed " + Words.duration(table.sinceVacuum()) + " ago"),
                        "VACUUM (VERBOSE, ANALYZE) " + table.name()
                                + "; if they stay, see xmin-horizon; so that autovacuum comes earlier: ALTER TABLE "
                                + table.name() + " SET (autovacuum_vacuum_scale_factor = 0.05)")));
        if (tables.size() > MOST) {
            results.add(warning(
                    "more tables" + session.inDatabase(),
                    Words.count(tables.size() - MOST, "table") + " more with many dead tuples",
                    "raise autovacuum_max_workers or autovacuum_vacuum_cost_limit: autovacuum does not keep up"));
        }
        return results;
    }
}
