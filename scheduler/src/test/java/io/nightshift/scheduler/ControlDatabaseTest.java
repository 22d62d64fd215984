package io.nightshift.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.health.CounterReading;
import io.nightshift.infra.health.StoredReadings;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ControlDatabaseTest {

    private static List<String> tables(ControlDatabase database, String schema) {
        return Installation.sql(database)
                .sql("SELECT table_name FROM information_schema.tables WHERE table_schema = :schema ORDER BY 1")
                .param("schema", schema)
                .query(String.class)
                .list();
    }

    @Test
    void lies_in_its_own_schema_and_stays_as_it_is_when_migrated_again() {
        try (Installation installation = Installation.withOwnControlDatabase();
                ControlDatabase database = installation.controlDatabase()) {
            List<String> once = tables(database, "nightshift");

            database.migrate();

            assertThat(once).contains("run", "attempt", "lease", "node", "batch_job_instance", "qrtz_triggers");
            assertThat(tables(database, "nightshift")).isEqualTo(once);
            assertThat(tables(database, "public")).isEmpty();
        }
    }

    @Test
    void keeps_the_readings_of_a_cluster_that_it_is_given_and_no_others() {
        try (Installation installation = Installation.withOwnControlDatabase();
                ControlDatabase database = installation.controlDatabase()) {
            StoredReadings stored = new StoredReadings(database.connections());
            Instant now = now(database);
            var old = new CounterReading("db1:5432", "7 timeline 1", now.minusSeconds(3600), Map.of("a", 1L));
            var young = new CounterReading("db1:5432", "7 timeline 1", now, Map.of("a", 2L, "b", Long.MAX_VALUE));

            stored.keep("prod", List.of(old));
            stored.keep("stage", List.of(old));
            stored.keep("prod", List.of(old, young));
            List<CounterReading> both = stored.of("prod");
            stored.keep("prod", List.of(young));

            assertThat(both).containsExactly(old, young);
            assertThat(stored.of("prod")).containsExactly(young);
            assertThat(stored.of("stage")).containsExactly(old);
            assertThat(stored.of("other")).isEmpty();
        }
    }

    private static Instant now(ControlDatabase database) {
        return Installation.sql(database)
                .sql("SELECT date_trunc('milliseconds', clock_timestamp())")
                .query(Timestamp.class)
                .single()
                .toInstant();
    }

    @Test
    void is_migrated_once_by_two_that_start_at_the_same_time() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (Installation installation = Installation.withOwnControlDatabase()) {
            Callable<Integer> migration = () -> {
                try (ControlDatabase database = installation.controlDatabase()) {
                    return tables(database, "nightshift").size();
                }
            };

            List<Future<Integer>> both = threads.invokeAll(List.of(migration, migration));

            assertThat(both.get(0).get()).isEqualTo(both.get(1).get()).isPositive();
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void is_refused_by_an_older_version_than_the_one_that_migrated_it() {
        try (Installation installation = Installation.withOwnControlDatabase();
                ControlDatabase database = installation.controlDatabase()) {
            Installation.sql(database).sql("""
                            INSERT INTO nightshift.flyway_schema_history
                            SELECT installed_rank + 1, '999', 'of the future', 'SQL', 'V999__of_the_future.sql', 1,
                                   installed_by, installed_on, 1, true
                            FROM nightshift.flyway_schema_history ORDER BY installed_rank DESC LIMIT 1
                            """).update();

            assertThatThrownBy(database::migrate).isInstanceOfSatisfying(NightshiftException.class, e -> {
                assertThat(e.kind()).isEqualTo(FailureKind.CONFIGURATION);
                assertThat(e).hasMessageStartingWith("control database was migrated by a newer version of Nightshift");
                assertThat(e.hint()).isEqualTo("run the version that migrated it, or a newer one");
            });
        }
    }
}
