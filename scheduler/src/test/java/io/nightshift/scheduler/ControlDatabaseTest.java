package io.nightshift.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.chunk.StoredChunks;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.CounterReading;
import io.nightshift.infra.health.StoredReadings;
import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.index.IndexSnapshot;
import io.nightshift.infra.index.IndexSnapshotReader;
import io.nightshift.infra.index.StoredIndexHistory;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
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

    @Test
    void keeps_what_was_covered_last() {
        try (Installation installation = Installation.withOwnControlDatabase();
                ControlDatabase database = installation.controlDatabase()) {
            StoredChunks stored = new StoredChunks(database.connections());
            Instant now = now(database);

            stored.cover("prod", List.of("a", "b"), now.minusSeconds(60));
            stored.cover("prod", List.of("a", "a"), now);
            stored.cover("prod", List.of("a"), now.minusSeconds(30));

            assertThat(stored.covered("prod")).isEqualTo(Map.of("a", now, "b", now.minusSeconds(60)));
            assertThat(stored.covered("stage")).isEmpty();

            stored.forget("prod", List.of("a", "unheard-of"));
            assertThat(stored.covered("prod")).containsOnlyKeys("b");
        }
    }

    @Test
    void keeps_what_indexes_are_used_for_as_memory_does_and_bounds_it() throws SQLException {
        try (Installation installation = Installation.withOwnControlDatabase();
                ControlDatabase database = installation.controlDatabase()) {
            Installation.sql(database)
                    .sql("INSERT INTO lease (name, owner, token) VALUES ('run/1', 'test', 7)")
                    .update();
            IndexHistory stored = new StoredIndexHistory(database.connections());
            IndexHistory remembered = IndexHistory.ofThisProcess();
            var place = new IndexHistory.Place("prod", "shop");
            List<NodeAddress> nodes = List.of(new NodeAddress("db1", 5432), new NodeAddress("db2", 5432));
            Duration window = Duration.ofDays(10);
            Instant first = now(database);
            List<String> between = List.of(
                    "CREATE TABLE public.t AS SELECT n AS a FROM generate_series(1, 100) n",
                    "CREATE INDEX t_a ON public.t (a)",
                    "SET enable_seqscan = off; SELECT * FROM public.t WHERE a = 7; RESET enable_seqscan",
                    "UPDATE public.t SET a = a + 1",
                    "REINDEX INDEX CONCURRENTLY public.t_a",
                    "DROP TABLE public.t");
            for (int night = 0; night < 26; night++) {
                Instant at = first.plus(night, ChronoUnit.DAYS);
                List<IndexSnapshot> snapshots = new ArrayList<>();
                try (Connection session = database.connections().getConnection()) {
                    if (night < between.size()) {
                        session.createStatement().execute(between.get(night));
                        session.createStatement().execute("SELECT pg_stat_force_next_flush()");
                    }
                    for (NodeAddress node : night % 5 == 4 ? nodes.subList(0, 1) : nodes) {
                        snapshots.add(IndexSnapshotReader.read(session, node, "7 primary", at));
                    }
                }
                stored.keep(new Lease("run/1", "test", 7), place, snapshots, window);
                remembered.keep(new Lease("run/1", "test", 7), place, snapshots, window);
                assertThat(stored.activity(place, nodes, at, window))
                        .isEqualTo(remembered.activity(place, nodes, at, window));
            }
            assertThat(rows(database, "index_watch")).isEqualTo(2);
            assertThat(rows(database, "watched_relation")).isPositive();
            assertThat(Installation.sql(database)
                            .sql("SELECT min(at) FROM relation_activity")
                            .query(Timestamp.class)
                            .single()
                            .toInstant())
                    .isAfterOrEqualTo(
                            first.plus(25, ChronoUnit.DAYS).minus(window).minus(IndexHistory.MARGIN));

            Instant later = first.plus(200, ChronoUnit.DAYS);
            try (Connection session = database.connections().getConnection()) {
                IndexSnapshot snapshot = IndexSnapshotReader.read(session, nodes.get(0), "7 primary", later);
                assertThatThrownBy(() -> stored.keep(new Lease("run/1", "dead", 6), place, List.of(snapshot), window))
                        .isInstanceOf(NightshiftException.class)
                        .extracting(e -> ((NightshiftException) e).kind())
                        .isEqualTo(FailureKind.REFUSED);
                assertThat(rows(database, "index_watch")).isEqualTo(2);
                stored.keep(new Lease("run/1", "test", 7), place, List.of(snapshot), window);
            }
            assertThat(rows(database, "index_watch")).isEqualTo(1);
        }
    }

    private static long rows(ControlDatabase database, String table) {
        return Installation.sql(database)
                .sql("SELECT count(*) FROM " + table)
                .query(Long.class)
                .single();
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
