package io.nightshift.infra.health;

import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Settings with which data may be lost. */
final class SettingsCheck extends SqlCheck {

    /** Which value of a setting endangers the data, and how. */
    private record Danger(String name, String value, Severity severity, String consequence) {}

    private static final List<Danger> DANGERS = List.of(
            new Danger("fsync", "off", Severity.CRITICAL, "a power cut may destroy the whole cluster"),
            new Danger("full_page_writes", "off", Severity.CRITICAL, "a power cut may leave pages half written"),
            new Danger("zero_damaged_pages", "on", Severity.CRITICAL, "damaged pages are emptied when they are read"),
            new Danger(
                    "ignore_checksum_failure", "on", Severity.CRITICAL, "damaged pages are read as if they were whole"),
            new Danger("ignore_invalid_pages", "on", Severity.CRITICAL, "recovery leaves damage behind and goes on"),
            new Danger("ignore_system_indexes", "on", Severity.CRITICAL, "catalogs are read without their indexes"),
            new Danger(
                    "synchronous_commit",
                    "off",
                    Severity.WARNING,
                    "a crash loses the transactions of the last moments"));

    SettingsCheck() {
        super("settings", Where.EVERY_NODE, "a setting endangers the data");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Map<String, String> values = new java.util.HashMap<>();
        // What holds for everybody: a session or a role may have settings of its own.
        session.query("SELECT name, reset_val FROM pg_settings", row -> values.put(row.getString(1), row.getString(2)));
        List<HealthResult> results = new ArrayList<>();
        for (Danger danger : DANGERS) {
            if (danger.value().equals(values.get(danger.name()))) {
                results.add(wrong(
                        danger.severity(),
                        danger.name() + " of " + session.address(),
                        danger.name() + " is " + danger.value() + ": " + danger.consequence(),
                        "ALTER SYSTEM SET " + danger.name() + " = "
                                + (danger.value().equals("on") ? "off" : "on")
                                + "; SELECT pg_reload_conf()"
                                + (danger.name().startsWith("ignore_invalid") ? "; then restart" : "")));
            }
        }
        return results;
    }
}
