package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Tables of some size for which somebody has switched autovacuum off. */
final class AutovacuumTablesCheck extends SqlCheck {

    private record Table(String name, long rows) {}

    AutovacuumTablesCheck() {
        super("autovacuum-tables", Where.DATABASES, "autovacuum is off for a table");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT format('%I.%I', n.nspname, c.relname) AS name,
                               greatest(c.reltuples::bigint, s.n_live_tup) AS rows
                        FROM pg_class c
                        JOIN pg_namespace n ON n.oid = c.relnamespace
                        JOIN pg_stat_all_tables s ON s.relid = c.oid
                        WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
                          AND EXISTS (SELECT FROM pg_options_to_table(c.reloptions)
                                      WHERE option_name = 'autovacuum_enabled' AND NOT option_value::bool)
                          AND greatest(c.reltuples::bigint, s.n_live_tup) >= ?
                        ORDER BY rows DESC
                        """,
                        row -> new Table(row.getString("name"), row.getLong("rows")),
                        session.settings().tuplesFloor())
                .stream()
                .<HealthResult>map(table -> warning(
                        "table " + table.name() + session.inDatabase(),
                        "autovacuum is off for this table of about " + Words.number(table.rows()) + " rows",
                        "ALTER TABLE " + table.name() + " RESET (autovacuum_enabled)"))
                .toList();
    }
}
