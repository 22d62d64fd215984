package io.nightshift.infra.health;

import io.nightshift.infra.postgres.ServerFacts.Setting;
import io.nightshift.infra.run.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Settings with which data may be lost. */
final class SettingsCheck extends SqlCheck {

    /** Which value of a setting endangers the data, and how. */
    private record Danger(String name, String value, Severity severity, String consequence) {}

    /** Which of them only a restart changes. */
    private static final Set<String> RESTART = Set.of("ignore_invalid_pages", "data_sync_retry");

    /** Where a value comes from that holds for some sessions only. */
    private static final Set<String> OWN = Set.of("database", "user", "database user");

    private static final List<Danger> DANGERS = List.of(
            new Danger("fsync", "off", Severity.CRITICAL, "a power cut may destroy the whole cluster"),
            new Danger("full_page_writes", "off", Severity.CRITICAL, "a power cut may leave pages half written"),
            new Danger("zero_damaged_pages", "on", Severity.CRITICAL, "damaged pages are emptied when they are read"),
            new Danger(
                    "ignore_checksum_failure", "on", Severity.CRITICAL, "damaged pages are read as if they were whole"),
            new Danger("ignore_invalid_pages", "on", Severity.CRITICAL, "recovery leaves damage behind and goes on"),
            new Danger(
                    "data_sync_retry", "on", Severity.CRITICAL, "writes that the disk has refused may be lost unseen"),
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
    List<HealthResult> evaluate(HealthSession session) {
        List<HealthResult> results = new ArrayList<>();
        for (Danger danger : DANGERS) {
            Setting value = session.facts().settings().get(danger.name());
            if (value != null && OWN.contains(value.source())) {
                // What holds for everybody cannot be seen behind it.
                results.add(notEvaluated(
                        danger.name() + " of " + session.address(),
                        "role " + session.role() + ", or database " + session.database()
                                + ", has a setting of its own: " + danger.name() + " = " + value.value()
                                + "; see pg_db_role_setting"));
            } else if (value != null && danger.value().equals(value.value())) {
                results.add(wrong(
                        danger.severity(),
                        danger.name() + " of " + session.address(),
                        danger.name() + " is " + danger.value() + ": " + danger.consequence(),
                        "ALTER SYSTEM SET " + danger.name() + " = "
                                + (danger.value().equals("on") ? "off" : "on")
                                + (RESTART.contains(danger.name()) ? "; then restart" : "; SELECT pg_reload_conf()")));
            }
        }
        return results;
    }
}
