package io.nightshift.infra.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What differences of snapshots say, and which statements matter. */
class WorkloadTest {

    private static final long DATABASE = 16_384;
    private static final Instant FIRST = Instant.parse("2026-11-01T01:00:00Z");
    private static final StatementName A = new StatementName(DATABASE, 1);
    private static final StatementName B = new StatementName(DATABASE, 2);
    private static final StatementName C = new StatementName(DATABASE, 3);
    private static final Map<StatementName, StatementText> TEXTS = Map.of(
            A, new StatementText("SELECT a", false),
            B, new StatementText("SELECT b", false),
            C, new StatementText("SELECT c", false));

    private static StatementCount count(StatementName name, String since, long calls, double milliseconds) {
        return new StatementCount(new StatementKey(name, 10, true), since, calls, milliseconds, calls, calls);
    }

    private static StatementSnapshot snapshot(
            String node, String series, int night, long evicted, StatementCount... counts) {
        return new StatementSnapshot(node, series, FIRST.plus(Duration.ofDays(night)), evicted, true, List.of(counts));
    }

    private static List<StatementNight> nights(StatementSnapshot... snapshots) {
        return new StatementHistory(List.of(snapshots)).nights();
    }

    @Test
    void what_all_nodes_have_counted_in_a_night_is_told() {
        List<StatementNight> nights = nights(
                snapshot("db1", "s", 0, 0, count(A, "", 10, 100)),
                snapshot("db2", "t", 0, 3, count(A, "", 5, 50)),
                snapshot("db1", "s", 1, 0, count(A, "", 30, 400), count(B, "", 1, 9)),
                snapshot("db2", "t", 1, 5, count(A, "", 6, 70)));

        assertThat(nights)
                .containsExactly(new StatementNight(
                        FIRST.plus(Duration.ofDays(1)),
                        List.of(count(A, "", 20, 300), count(B, "", 1, 9), count(A, "", 1, 20)),
                        2));
    }

    @Test
    void what_has_begun_anew_is_not_compared() {
        assertThat(nights(
                        snapshot("db1", "s", 0, 0, count(A, "", 10, 100)),
                        snapshot("db1", "after a reset", 1, 0, count(A, "", 30, 400))))
                .isEmpty();
        assertThat(nights(
                                snapshot(
                                        "db1",
                                        "s",
                                        0,
                                        0,
                                        count(A, "", 10, 100),
                                        count(B, "x", 1, 1),
                                        count(C, "x", 1, 1)),
                                snapshot(
                                        "db1",
                                        "s",
                                        1,
                                        0,
                                        count(A, "", 9, 400),
                                        count(B, "y", 2, 2),
                                        count(C, "x", 2, 3)))
                        .get(0)
                        .counts())
                .containsExactly(count(C, "x", 1, 2));
        assertThat(nights(snapshot("db1", "s", 0, 7), snapshot("db1", "s", 1, 3, count(A, "", 1, 1))))
                .isEmpty();
    }

    @Test
    void what_was_not_there_has_begun_since_unless_some_were_left_out() {
        var cut = new StatementSnapshot("db1", "s", FIRST, 0, false, List.of(count(A, "", 10, 100)));

        assertThat(nights(cut, snapshot("db1", "s", 1, 0, count(A, "", 11, 101), count(B, "", 5, 5)))
                        .get(0)
                        .counts())
                .containsExactly(count(A, "", 1, 1));
    }

    @Test
    void statements_that_make_most_of_the_time_matter_if_they_are_frequent_and_slow() {
        List<StatementNight> nights = List.of(new StatementNight(
                FIRST, List.of(count(A, "", 100, 800), count(B, "", 10, 150), count(C, "", 100, 50)), 0));

        Workload workload = Workload.of(DATABASE, nights, TEXTS, WorkloadLimits.defaults());

        assertThat(workload.queries()).extracting(Query::name).containsExactly(A, B, C);
        assertThat(workload.important()).extracting(Query::name).containsExactly(A);
        assertThat(workload.queries().get(0).share()).isEqualTo(0.8);
        var all = new WorkloadLimits(Duration.ofDays(1), 100, 1, Duration.ZERO, 2);
        assertThat(Workload.of(DATABASE, nights, TEXTS, all).important())
                .extracting(Query::name)
                .containsExactly(A, B);
        assertThat(Workload.of(
                                DATABASE,
                                nights,
                                TEXTS,
                                new WorkloadLimits(Duration.ofDays(1), 100, 1, Duration.ofMillis(1), 9))
                        .important())
                .extracting(Query::name)
                .containsExactly(A, B);
    }

    @Test
    void a_statement_without_a_text_counts_but_is_not_told() {
        List<StatementNight> nights =
                List.of(new StatementNight(FIRST, List.of(count(A, "", 100, 25), count(B, "", 100, 75)), 4));

        Workload workload = Workload.of(
                DATABASE, nights, Map.of(A, new StatementText("SELECT a", false)), WorkloadLimits.defaults());

        assertThat(workload.nameless()).isEqualTo(1);
        assertThat(workload.evicted()).isEqualTo(4);
        assertThat(workload.queries().get(0).sharePercent()).isEqualTo("25.0 %");
    }

    @Test
    void only_queries_of_tables_of_ones_own_are_queries() {
        assertThat(List.of(
                        "SELECT 1",
                        "/* route */ -- x\n (select a from t)",
                        "WITH x AS (SELECT 1) DELETE FROM t",
                        "MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE",
                        "(".repeat(100_000) + "SELECT a FROM t",
                        "/* * / */-- ;\n".repeat(100_000) + "SELECT a FROM t"))
                .allMatch(text -> new StatementText(text, false).isQuery());
        assertThat(List.of(
                        "ALTER ROLE x PASSWORD 'secret'",
                        "EXPLAIN SELECT 1",
                        "SELECT a FROM pg_catalog.pg_class",
                        "SELECT a FROM t JOIN information_schema.tables USING (a)",
                        "PREPARE p AS SELECT 1",
                        "select current_catalog",
                        "SELECT pg_sleep($1)",
                        "selection"))
                .noneMatch(text -> new StatementText(text, false).isQuery());
    }

    private static StatementNight night(int number, StatementCount... counts) {
        return new StatementNight(FIRST.plus(Duration.ofDays(number)), List.of(counts), 0);
    }

    private static List<QueryTrend> trends(StatementNight... nights) {
        return QueryTrend.of(Workload.of(DATABASE, List.of(nights), TEXTS, WorkloadLimits.defaults()), List.of(nights));
    }

    @Test
    void the_last_nights_are_compared_with_those_before() {
        List<QueryTrend> trends = trends(
                night(1, count(A, "", 100, 100), count(B, "", 100, 900)),
                night(2, count(A, "", 100, 100), count(B, "", 100, 900)),
                night(3, count(A, "", 100, 100), count(B, "", 100, 900)),
                night(4, count(A, "", 100, 300), count(B, "", 300, 2700), count(C, "", 1, 200)),
                night(5, count(A, "", 100, 300), count(B, "", 300, 2700)),
                night(6, count(A, "", 100, 300), count(B, "", 300, 2700)));

        assertThat(trends)
                .filteredOn(QueryTrend::isRegressed)
                .extracting(trend -> trend.query().name())
                .containsExactly(A);
        assertThat(trends)
                .filteredOn(QueryTrend::isGrown)
                .extracting(trend -> trend.query().name())
                .containsExactly(B, A);
        assertThat(trends)
                .filteredOn(QueryTrend::isNew)
                .extracting(trend -> trend.query().name())
                .containsExactly(C);
        assertThat(trends.get(1).former().mean()).isEqualTo(1);
        assertThat(trends.get(1).recent().mean()).isEqualTo(3);
    }

    @Test
    void of_one_night_nothing_is_new_and_what_stays_alike_is_not_told() {
        assertThat(trends(night(1, count(A, "", 100, 100))))
                .noneMatch(trend -> trend.isNew() || trend.isGrown() || trend.isRegressed());
        assertThat(trends(night(1, count(A, "", 100, 100)), night(2, count(A, "", 120, 130))))
                .noneMatch(trend -> trend.isNew() || trend.isGrown() || trend.isRegressed());
        assertThat(trends(night(1, count(A, "", 5, 5)), night(2, count(A, "", 5, 50))))
                .as("too few calls")
                .noneMatch(QueryTrend::isRegressed);
    }
}
