package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.server.Effort;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The history of many runs: 20 jobs on 4 clusters, one run in 50 failed, one in 100 with a finding. */
class RunHistoryTest {

    private static final int RUNS = Effort.of(10_000, 100_000);
    private static final Instant LAST = Instant.parse("2026-11-22T01:00:00Z");

    private static Installation installation;
    private static ControlDatabase database;
    private static RunHistory history;

    @BeforeAll
    static void fill() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
        history = new RunHistory(database.pool());
        Installation.sql(database).sql("""
                        INSERT INTO run (job, job_type, cluster, cause, actor, settings, state, report,
                                         requested_at, started_at, ended_at)
                        SELECT 'job-' || n % 20, 'type-' || n % 5, 'cluster-' || n % 4, 'schedule', 'schedule', '{}',
                               CASE WHEN n % 50 = 7 THEN 'failed' ELSE 'completed' END,
                               jsonb_build_object('summary', repeat('x', 200), 'figures', '[]'::jsonb, 'notEvaluated', '[]'::jsonb,
                                   'sections', '[]'::jsonb, 'findings',
                                   CASE WHEN n % 100 = 3 THEN '[{"key": "k", "severity": "warning", "subject": "s", "detail": "d", "state": "new"}]'
                                        ELSE '[]' END::jsonb),
                               t, t, t + interval '1 min'
                        FROM (SELECT n, timestamptz '2026-11-22 01:00:00Z' - (:runs - n) / 3 * interval '1 min' AS t
                              FROM generate_series(1, :runs) n) AS made
                        """).param("runs", RUNS).update();
        Installation.sql(database).sql("ANALYZE run").update();
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    static Stream<RunFilter> filters() {
        RunFilter all = RunFilter.newest(100);
        return Stream.of(
                all,
                all.ofJob("job-3"),
                all.ofCluster("cluster-2"),
                all.ofJob("job-6"),
                all.in(RunState.FAILED),
                new RunFilter(null, null, "type-1", null, null, null, null, false, null, 100),
                new RunFilter(null, null, null, null, null, null, null, true, null, 100),
                new RunFilter(null, null, null, null, null, LAST.minusSeconds(900), LAST, false, null, 100));
    }

    @ParameterizedTest
    @MethodSource("filters")
    void reads_a_page_in_the_order_of_an_index_and_sorts_nothing(RunFilter filter) {
        RunPage first = history.page(filter);
        RunPage second = history.page(filter.after(first.next()));

        for (RunFilter each : List.of(filter, filter.after(first.next()))) {
            assertThat(plan(each)).contains("using run_newest_first").doesNotContain("Sort", "Seq Scan");
        }
        assertThat(first.runs()).isNotEmpty();
        assertThat(second.runs()).isNotEmpty();
    }

    @ParameterizedTest
    @MethodSource("filters")
    void shows_every_run_once_when_it_is_paged_through(RunFilter filter) {
        RunFilter narrow = new RunFilter(
                filter.job(),
                filter.cluster(),
                filter.type(),
                filter.state(),
                filter.cause(),
                filter.since() == null ? LAST.minusSeconds(6_000) : filter.since(),
                filter.until(),
                filter.withFindings(),
                null,
                7);

        List<Long> paged = new ArrayList<>();
        RunPage page = history.page(narrow);
        while (page.next() != null) {
            page.runs().forEach(run -> paged.add(run.id()));
            page = history.page(narrow.after(page.next()));
        }
        page.runs().forEach(run -> paged.add(run.id()));

        RunFilter whole = new RunFilter(
                narrow.job(),
                narrow.cluster(),
                narrow.type(),
                narrow.state(),
                narrow.cause(),
                narrow.since(),
                narrow.until(),
                narrow.withFindings(),
                null,
                10_000);
        assertThat(paged)
                .isNotEmpty()
                .isEqualTo(history.runs(whole).stream().map(Run::id).toList());
    }

    @Test
    void matches_what_it_filters_by_and_nothing_else() {
        assertThat(history.runs(RunFilter.newest(50).ofJob("job-3")))
                .extracting(Run::job)
                .containsOnly("job-3");
        assertThat(history.runs(RunFilter.newest(50).in(RunState.FAILED)))
                .extracting(Run::state)
                .containsOnly(RunState.FAILED);
        assertThat(history.runs(new RunFilter(null, null, null, null, null, null, null, true, null, 50)))
                .allSatisfy(run -> assertThat(run.report().findings()).hasSize(1));
        assertThat(history.runs(new RunFilter(null, null, null, null, Cause.CHAIN, null, null, false, null, 50)))
                .isEmpty();
        assertThat(history.runs(new RunFilter(null, null, null, null, null, null, LAST, false, null, 50)))
                .allSatisfy(run -> assertThat(run.requestedAt()).isBefore(LAST));
    }

    @Test
    void tells_how_fast_its_first_page_is() {
        double pooled = millis(new RunHistory(database.pool()));
        double alone = millis(history);

        System.out.printf(
                "first page of %,d runs: %.1f ms on a pooled connection, %.1f ms with a new one each%n",
                RUNS, pooled, alone);
    }

    private static double millis(RunHistory asked) {
        int rounds = 20;
        asked.page(RunFilter.newest(100));
        long began = System.nanoTime();
        for (int round = 0; round < rounds; round++) {
            assertThat(asked.page(RunFilter.newest(100)).runs()).hasSize(100);
        }
        return (System.nanoTime() - began) / 1e6 / rounds;
    }

    @Test
    void refuses_a_page_that_it_never_gave() {
        assertThatThrownBy(() -> PageToken.parse("17")).hasMessageContaining("\"17\" is not a page");
        assertThat(PageToken.parse(new PageToken(LAST, 17).toString())).isEqualTo(new PageToken(LAST, 17));
    }

    private static String plan(RunFilter filter) {
        RunFilter.Query query = filter.select("id", filter.limit() + 1);
        List<String> lines = new ArrayList<>();
        try (Connection connection = database.connections().getConnection();
                PreparedStatement statement = connection.prepareStatement("EXPLAIN " + query.sql())) {
            for (int i = 0; i < query.values().size(); i++) {
                statement.setObject(i + 1, query.values().get(i));
            }
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    lines.add(rows.getString(1));
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return String.join("\n", lines);
    }
}
