package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Constraints that were added NOT VALID and never validated: rows from before may break them. */
final class ConstraintsCheck extends SqlCheck {

    private record Constraint(String table, String name, String quoted) {}

    ConstraintsCheck() {
        super("constraints", Where.DATABASES, "a constraint was never validated");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT c.conrelid::regclass::text AS table_name, c.conname, quote_ident(c.conname) AS quoted
                        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
                        WHERE NOT c.convalidated AND c.conparentid = 0 AND t.relpersistence <> 't'
                          AND coalesce((to_jsonb(c) ->> 'conenforced')::bool, true)
                        ORDER BY 1, 2
                        """,
                        row -> new Constraint(
                                row.getString("table_name"), row.getString("conname"), row.getString("quoted")))
                .stream()
                .<HealthResult>map(constraint -> warning(
                        "constraint " + constraint.name() + " of table " + constraint.table() + session.inDatabase(),
                        "is NOT VALID: rows from before it was added may break it",
                        "ALTER TABLE " + constraint.table() + " VALIDATE CONSTRAINT " + constraint.quoted()))
                .toList();
    }
}
