package io.nightshift.infra.health;

import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.util.List;

/** Tables with triggers that are off, those of foreign keys among them, as a restore or an import may leave them. */
final class TriggersCheck extends SqlCheck {

    private record Table(String name, long triggers, long ofForeignKeys, String one) {}

    TriggersCheck() {
        super("triggers", Where.DATABASES, "triggers of a table are off");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT t.tgrelid::regclass::text AS table_name, count(*) AS triggers,
                               count(*) FILTER (WHERE t.tgisinternal) AS of_foreign_keys, min(quote_ident(t.tgname)) AS one
                        FROM pg_trigger t WHERE t.tgenabled = 'D' GROUP BY t.tgrelid ORDER BY 1
                        """,
                        row -> new Table(
                                row.getString("table_name"),
                                row.getLong("triggers"),
                                row.getLong("of_foreign_keys"),
                                row.getString("one")))
                .stream()
                .<HealthResult>map(table -> wrong(
                        table.ofForeignKeys() > 0 ? Severity.CRITICAL : Severity.WARNING,
                        "table " + table.name() + session.inDatabase(),
                        Words.count(table.triggers(), "trigger") + (table.triggers() == 1 ? " is" : " are") + " off"
                                + (table.ofForeignKeys() == 0
                                        ? ""
                                        : ", " + table.ofForeignKeys() + " of foreign keys, which are not kept"),
                        "ALTER TABLE " + table.name() + " ENABLE TRIGGER "
                                + (table.triggers() == 1 && table.ofForeignKeys() == 0 ? table.one() : "ALL")
                                + (table.ofForeignKeys() == 0 ? "" : "; then look for rows without their parent")))
                .toList();
    }
}
