package io.nightshift.infra.index.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.index.IndexAdvice;
import io.nightshift.infra.index.IndexCatalogReader;
import io.nightshift.infra.index.plan.GenericPlan.Planned;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.infra.sample.ChanukaWorkload;
import io.nightshift.infra.sample.WorkloadPlan;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.workload.Query;
import io.nightshift.infra.workload.StatementHistory;
import io.nightshift.infra.workload.StatementReader;
import io.nightshift.infra.workload.StatementSnapshot;
import io.nightshift.infra.workload.Workload;
import io.nightshift.infra.workload.WorkloadLimits;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Chanuka workload without the indexes that it needs. */
class MissingIndexesTest {

    private static final WorkloadLimits ALL = new WorkloadLimits(Duration.ofDays(1), 100, 3, Duration.ZERO, 200);
    private static final MissingLimits SMALL =
            new MissingLimits(1_000, new DataSize(64 << 10), 12, 8, 30, 50, 2, false);

    static List<Integer> versions() {
        return PostgresVersions.newestOrAll();
    }

    private record Found(Workload workload, List<PlannedQuery> planned, List<IndexAdvice> advice) {}

    private static StatementReader.Reading read(Connection session, Instant at) throws SQLException {
        return StatementReader.read(session, "db1", at).orElseThrow();
    }

    private static Found night(TestPostgres server) throws SQLException {
        Instant evening = Instant.parse("2026-11-01T20:00:00Z");
        try (Connection session = server.connect("chanuka")) {
            session.createStatement().execute("SET search_path = pg_catalog");
            StatementSnapshot before = read(session, evening).snapshot();
            ChanukaWorkload.start(
                            () -> server.connect("chanuka"),
                            WorkloadPlan.everything().seed(7).transactions(Effort.of(500, 20_000)))
                    .await();
            StatementReader.Reading after = read(session, evening.plus(Duration.ofHours(10)));
            long database = server.number("SELECT oid FROM pg_database WHERE datname = 'chanuka'");
            Workload workload = Workload.of(
                    database, new StatementHistory(List.of(before, after.snapshot())).nights(), after.texts(), ALL);
            var plans = new GenericPlans(session);
            List<PlannedQuery> planned = new ArrayList<>();
            for (var query : workload.important()) {
                GenericPlan plan = plans.plan(query);
                assertThat(plan).as(query.text()).isInstanceOf(Planned.class);
                planned.add(new PlannedQuery(query, ((Planned) plan).root()));
            }
            List<IndexAdvice> advice =
                    MissingIndexes.find(IndexCatalogReader.read(session), planned, 1, SMALL, session);
            return new Found(workload, planned, advice);
        }
    }

    private static double milliseconds(Found found, String text) {
        return found.workload().queries().stream()
                .filter(query -> query.text().contains(text))
                .mapToDouble(query -> query.milliseconds() / query.calls())
                .sum();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_the_workload_lacks_is_advised_and_helps(int major) throws SQLException {
        try (TestPostgres server = TestPostgres.start(
                major, Map.of("shared_preload_libraries", "pg_stat_statements", "autovacuum", "off"))) {
            server.execute("postgres", "CREATE DATABASE chanuka");
            try (Connection session = server.connect("chanuka")) {
                new ChanukaSample().create(session, Effort.number() >= 20 ? 1 : 0.06, new Progress());
            }
            server.execute(
                    "chanuka",
                    "CREATE EXTENSION pg_stat_statements SCHEMA public",
                    "DROP INDEX chanuka.comments_bill_id_created_at_idx, chanuka.bill_follows_bill_id_idx,"
                            + " chanuka.notifications_unread_idx, chanuka.bill_status_history_bill_id_changed_at_idx,"
                            + " chanuka.engagement_events_bill_id_occurred_at_idx");

            Found before = night(server);

            assertThat(before.advice())
                    .extracting(one -> one.object().replaceFirst("^chanuka\\.(\\w+\\(\\w+).*", "$1"))
                    .contains(
                            "comments(bill_id",
                            "bill_follows(bill_id",
                            "notifications(user_id",
                            "bills(topic",
                            "bills(sponsor_id");
            assertThat(before.advice().get(0).object()).startsWith("chanuka.comments(bill_id");
            assertThat(before.advice())
                    .extracting(IndexAdvice::object)
                    .as("what nearly all rows are")
                    .noneMatch(object -> object.contains("is_hidden"));
            assertThat(advice(server, before.planned(), SMALL)).isEqualTo(before.advice());
            requireLimitsKept(server, before);
            assertThat(before.advice())
                    .allSatisfy(one -> assertThat(one.forecast().queries())
                            .anySatisfy(query -> assertThat(query.left()).isLessThan(0.5)));
            List<String> made = new ArrayList<>();
            for (IndexAdvice one : before.advice()) {
                server.execute("chanuka", one.statements().todo().toArray(String[]::new));
                made.add(one.statements().undo().get(0).replaceFirst("DROP INDEX (?:CONCURRENTLY )?chanuka\\.", ""));
            }
            server.execute("chanuka", "ANALYZE");
            Found after = night(server);

            System.out.printf(
                    "FIGURE index advice on PostgreSQL %d: workload %.0f ms, with %d indexes %.0f ms; bill filters %.2f ms, %.2f ms%n",
                    major,
                    before.workload().milliseconds(),
                    made.size(),
                    after.workload().milliseconds(),
                    milliseconds(before, "topic = $1"),
                    milliseconds(after, "topic = $1"));
            assertThat(made)
                    .allSatisfy(
                            index -> assertThat(isUsed(after, index)).as(index).isTrue());
            List<String> advised =
                    before.advice().stream().map(IndexAdvice::object).toList();
            assertThat(advice(server, before.planned(), SMALL))
                    .as("of plans from before they were made")
                    .extracting(IndexAdvice::object)
                    .doesNotContainAnyElementsOf(advised);
            assertThat(after.advice()).extracting(IndexAdvice::object).doesNotContainAnyElementsOf(advised);

            for (IndexAdvice one : before.advice()) {
                server.execute("chanuka", one.statements().undo().toArray(String[]::new));
            }
            assertThat(after.advice().size()).isLessThan(before.advice().size());
        }
    }

    private static List<IndexAdvice> advice(TestPostgres server, List<PlannedQuery> planned, MissingLimits limits)
            throws SQLException {
        try (Connection session = server.connect("chanuka")) {
            session.createStatement().execute("SET search_path = pg_catalog");
            return MissingIndexes.find(IndexCatalogReader.read(session), planned, 1, limits, session);
        }
    }

    private static void requireLimitsKept(TestPostgres server, Found found) throws SQLException {
        List<PlannedQuery> planned = found.planned();
        long size = server.number("SELECT pg_database_size('chanuka')");

        assertThat(advice(server, planned, new MissingLimits(1_000, new DataSize(0), 1, 8, 30, 50, 2, false)))
                .extracting(IndexAdvice::object)
                .containsExactly(found.advice().get(0).object());
        assertThat(advice(server, planned, new MissingLimits(1_000, new DataSize(0), 12, 8, 1, 50, 2, false)).stream()
                        .mapToLong(IndexAdvice::bytes)
                        .sum())
                .isBetween(1L, size / 100);
        assertThat(advice(server, planned, new MissingLimits(1_000, new DataSize(0), 12, 1, 30, 50, 2, false)))
                .as("tables with a primary key")
                .isEmpty();
        assertThat(advice(server, planned, new MissingLimits(1_000_000, new DataSize(0), 12, 8, 30, 50, 2, false)))
                .isEmpty();
        assertThat(advice(server, planned, new MissingLimits(1_000, new DataSize(0), 12, 8, 30, 50, 99, false)))
                .isEmpty();
        assertThat(advice(
                        server,
                        planned.stream()
                                .map(MissingIndexesTest::insertingQuickly)
                                .toList(),
                        SMALL))
                .extracting(IndexAdvice::object)
                .as("what would make an insert worse by a tenth")
                .isNotEmpty()
                .noneMatch(object -> object.startsWith("chanuka.comments("));
    }

    private static PlannedQuery insertingQuickly(PlannedQuery planned) {
        Query query = planned.query();
        return query.text().startsWith("INSERT INTO chanuka.comments")
                ? new PlannedQuery(
                        new Query(
                                query.name(),
                                query.user(),
                                query.text(),
                                false,
                                query.calls(),
                                query.calls() * 0.05,
                                query.share()),
                        planned.plan())
                : planned;
    }

    /** By a plan itself, or by that of a partition. */
    private static boolean isUsed(Found found, String index) {
        String columns = index.replaceFirst("^engagement_events_", "engagement_events_\\\\w+_");
        return found.planned().stream()
                .flatMap(query -> query.plan().tree())
                .map(PlanNode::index)
                .filter(Objects::nonNull)
                .anyMatch(used -> used.equals(index) || used.matches(columns));
    }
}
