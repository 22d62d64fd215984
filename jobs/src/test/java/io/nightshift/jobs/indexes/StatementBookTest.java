package io.nightshift.jobs.indexes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.workload.KeptPlan;
import io.nightshift.infra.workload.StatementBook;
import io.nightshift.infra.workload.StatementCount;
import io.nightshift.infra.workload.StatementKey;
import io.nightshift.infra.workload.StatementName;
import io.nightshift.infra.workload.StatementSnapshot;
import io.nightshift.infra.workload.StatementText;
import io.nightshift.infra.workload.StoredStatements;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is kept from night to night, in memory and in the tables of the control database. */
class StatementBookTest {

    private static final Instant FIRST = Instant.parse("2026-11-01T01:00:00Z");
    private static final StatementName A = new StatementName(16_384, -7);
    private static final StatementName B = new StatementName(16_384, Long.MAX_VALUE);

    private static TestPostgres control;

    private final RememberedRun run =
            RememberedRun.first("index-analysis", TestCluster.NAME, IndexAnalysisSettings.defaults(), false);

    @BeforeAll
    static void start() throws IOException {
        control = TestPostgres.start(18);
        Path migration = Path.of(
                System.getProperty("build.directory"),
                "scheduler/src/main/resources/db/control/V11__statement_snapshots.sql");
        control.execute(
                "postgres",
                "CREATE TABLE lease (name text PRIMARY KEY, owner text NOT NULL, token bigint NOT NULL)",
                Files.readString(migration));
    }

    @AfterAll
    static void stop() {
        control.close();
    }

    private StatementBook stored() {
        control.execute(
                "postgres",
                "TRUNCATE lease, statement_snapshot, statement_text, statement_plan",
                "INSERT INTO lease VALUES ('run/" + run.id() + "', 'test-node', 1)");
        var source = new PGSimpleDataSource();
        source.setUrl(control.url("postgres"));
        source.setUser(control.username());
        source.setPassword(control.password());
        return new StoredStatements(source);
    }

    private static Instant night(int number) {
        return FIRST.plus(Duration.ofDays(number));
    }

    private static StatementSnapshot snapshot(String series, Instant at, StatementName... names) {
        return new StatementSnapshot(
                "db1:5432",
                series,
                at,
                3,
                true,
                List.of(names).stream()
                        .map(name -> new StatementCount(
                                new StatementKey(name, 10, false), "2026-10-01 00:00:00+00", 5, 12.25, 7, 9))
                        .toList());
    }

    @Test
    void snapshots_texts_and_plans_are_kept_as_long_as_the_window_is() {
        for (StatementBook book : List.of(StatementBook.ofThisProcess(), stored())) {
            StatementSnapshot first = snapshot("s", night(0), A);
            StatementSnapshot second = snapshot("s", night(1), A, B);
            StatementSnapshot third = snapshot("s", night(2), B);
            StatementText text = new StatementText("SELECT 'ä'", true);

            book.keep(run, first, Map.of(A, text), night(-9));
            book.keep(run, second, Map.of(A, new StatementText("other", false), B, text), night(-9));

            assertThat(book.snapshots(TestCluster.NAME)).containsExactly(first, second);
            assertThat(book.snapshots("other")).isEmpty();
            assertThat(book.texts(TestCluster.NAME)).containsEntry(B, text).containsKey(A);

            book.keepPlans(run, List.of(new KeptPlan(A, "x", "Seq Scan", night(0), night(0))));
            book.keepPlans(run, List.of(new KeptPlan(A, "x", "Seq Scan 2", night(1), night(1))));
            book.keepPlans(run, List.of(new KeptPlan(A, "y", "Index Scan", night(2), night(2))));
            assertThat(book.plans(TestCluster.NAME))
                    .containsExactly(
                            new KeptPlan(A, "x", "Seq Scan 2", night(0), night(1)),
                            new KeptPlan(A, "y", "Index Scan", night(2), night(2)));

            book.keep(run, third, Map.of(), night(2));
            assertThat(book.snapshots(TestCluster.NAME)).containsExactly(third);
            assertThat(book.texts(TestCluster.NAME)).containsOnlyKeys(B);
            assertThat(book.plans(TestCluster.NAME))
                    .extracting(KeptPlan::digest)
                    .containsExactly("y");
        }
    }

    @Test
    void looks_within_an_hour_make_one_night() {
        for (StatementBook book : List.of(StatementBook.ofThisProcess(), stored())) {
            StatementSnapshot first = snapshot("s", night(0), A);
            StatementSnapshot reset = snapshot("t", night(0).plusSeconds(120), A);

            book.keep(run, first, Map.of(), night(-9));
            book.keep(run, snapshot("s", night(0).plusSeconds(60), A), Map.of(), night(-9));
            book.keep(run, reset, Map.of(), night(-9));

            assertThat(book.snapshots(TestCluster.NAME)).containsExactly(first, reset);
        }
    }

    @Test
    void an_owner_that_was_taken_over_keeps_nothing() {
        StatementBook book = stored();
        control.execute("postgres", "UPDATE lease SET token = 2");

        assertThatThrownBy(() -> book.keep(run, snapshot("s", night(0), A), Map.of(), night(-9)))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        taken -> assertThat(taken.kind()).isEqualTo(FailureKind.REFUSED));
        assertThat(book.snapshots(TestCluster.NAME)).isEmpty();
    }
}
