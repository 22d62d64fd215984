package io.nightshift.jobs.indexes;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The job on a real server with the sample. */
class IndexAnalysisTest {

    private static final String SUFFICIENT = "8kB";

    private static final String COUNTY = "index/unused/chanuka.chanuka.users_county_idx";

    private static final Clock NIGHT = Clock.fixed(Instant.parse("2026-11-28T04:30:00Z"), ZoneOffset.UTC);

    private static TestCluster cluster;

    @BeforeAll
    static void start() throws SQLException {
        cluster = TestCluster.start(18, Map.of("autovacuum", "off", "shared_preload_libraries", "pg_stat_statements"));
        cluster.postgres()
                .execute(
                        "postgres",
                        "CREATE EXTENSION pg_stat_statements",
                        "CREATE DATABASE chanuka",
                        "CREATE DATABASE sealed",
                        "REVOKE CONNECT ON DATABASE sealed FROM PUBLIC",
                        "CREATE ROLE reader LOGIN PASSWORD 'secret'",
                        "GRANT pg_monitor TO reader");
        try (Connection connection = cluster.postgres().connect("chanuka")) {
            new ChanukaSample().create(connection, 0.02, new Progress());
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static JobReport run(TestCluster where, String... overrides) {
        Map<String, String> changed =
                overrides.length == 0 ? Map.of("smallest-table", SUFFICIENT) : Map.of(overrides[0], overrides[1]);
        return JobRun.of(
                        new IndexAnalysisJobType(),
                        where,
                        RecordBinder.withOverrides(IndexAnalysisSettings.defaults(), changed))
                .keepingIndexes(IndexHistory.ofThisProcess(), NIGHT)
                .attempt()
                .completed()
                .report();
    }

    private static List<String> keys(JobReport report) {
        return report.findings().stream().map(Finding::key).toList();
    }

    private static String text(JobReport report, String title) {
        return report.sections().stream()
                .filter(section -> section.title().equals(title))
                .map(section -> ((Section.Text) section.data()).lines())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void names_what_is_planted_in_the_sample_and_nothing_else() {
        JobReport report = run(cluster);

        assertThat(keys(report))
                .containsExactly(
                        "index/redundant/chanuka.chanuka.votes_bill_id_idx",
                        "index/foreign-key/chanuka.chanuka.bill_tags(tag_id)",
                        "index/foreign-key/chanuka.chanuka.bills(sponsor_id)",
                        "index/foreign-key/chanuka.chanuka.comments(user_id)",
                        "index/foreign-key/chanuka.chanuka.engagement_events(user_id)",
                        "index/foreign-key/chanuka.chanuka.notifications(bill_id)",
                        "index/foreign-key/chanuka.chanuka.notifications(user_id)",
                        "index/foreign-key/chanuka.chanuka.votes(legislator_id)");
        Finding redundant = report.findings().get(0);
        assertThat(redundant.detail())
                .startsWith(
                        "has the keys (bill_id), with which chanuka.votes_bill_id_legislator_id_key (bill_id, legislator_id)"
                                + " begins, so that one answers the same queries; this one takes ");
        assertThat(redundant.remedy()).isEqualTo("DROP INDEX CONCURRENTLY chanuka.votes_bill_id_idx");
        assertThat(report.findings().get(3).detail())
                .matches("no index finds the rows that refer to one of chanuka.users: each delete of one reads all of"
                        + " chanuka.comments \\([0-9,]+ rows, .*\\)");
        assertThat(report.findings().get(4).remedy())
                .matches("CREATE INDEX engagement_events_user_id_idx ON ONLY chanuka.engagement_events USING btree"
                        + " \\(user_id\\); and 26 more, in section statements");
        assertThat(text(report, "statements")).contains("""
                        -- redundant chanuka.chanuka.votes_bill_id_idx
                        DROP INDEX CONCURRENTLY chanuka.votes_bill_id_idx;
                        -- undo: CREATE INDEX CONCURRENTLY votes_bill_id_idx ON chanuka.votes USING btree (bill_id);
                        """);
        assertThat(report.summary())
                .isEqualTo(
                        "0 unused, 1 redundant, 0 broken, 0 bloated, 7 missing under foreign keys in 3 of 3 databases");
        assertThat(report.exitStatus()).isZero();
        assertThat(run(cluster)).isEqualTo(report);
        cluster.awaitNoTraces();
    }

    @Test
    void names_an_unused_index_after_its_window_and_says_before_what_is_missing() {
        IndexHistory history = IndexHistory.ofThisProcess();
        JobReport first = night(history, 0);
        night(history, 3);
        JobReport last = night(history, 6);

        assertThat(table(first, "not judged yet"))
                .contains(List.of(
                        "chanuka",
                        "node 127.0.0.1:" + cluster.postgres().port()
                                + " needs 6 more nights: what it uses is known since 2026-11-28T04:30:00Z, that was the"
                                + " first look"));
        assertThat(first.exitStatus()).isZero();
        assertThat(first.hasLookedFor(COUNTY)).isFalse();
        assertThat(last.hasLookedFor(COUNTY)).isTrue();
        assertThat(keys(last)).contains(COUNTY).noneMatch(key -> key.matches("index/unused/.*_(pkey|key|fkey)"));
        assertThat(text(last, "statements"))
                .startsWith("\\set ON_ERROR_STOP on\n")
                .contains("""
                        -- unused chanuka.chanuka.users_county_idx
                        DROP INDEX CONCURRENTLY chanuka.users_county_idx;
                        -- undo: CREATE INDEX CONCURRENTLY users_county_idx ON chanuka.users USING btree (county);
                        """);
        assertThat(table(last, "index advice"))
                .anySatisfy(row -> assertThat(row)
                        .startsWith("unused", "chanuka.chanuka.users_county_idx")
                        .contains("written 0 times a night", "observed"));
    }

    private static JobReport night(IndexHistory history, int number) {
        return JobRun.of(
                        new IndexAnalysisJobType(),
                        cluster,
                        RecordBinder.withOverrides(
                                IndexAnalysisSettings.defaults(),
                                Map.of(
                                        "smallest-table",
                                        SUFFICIENT,
                                        "smallest-index",
                                        SUFFICIENT,
                                        "window",
                                        "6d",
                                        "written-rows",
                                        "0")))
                .keepingIndexes(history, Clock.offset(NIGHT, Duration.ofDays(number)))
                .attempt()
                .completed()
                .report();
    }

    private static List<List<String>> table(JobReport report, String title) {
        return report.sections().stream()
                .filter(section -> section.title().equals(title))
                .map(section -> ((Section.Table) section.data()).rows())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void of_small_tables_it_says_how_much_it_does_not_say() {
        JobReport report = run(cluster, "smallest-table", "1TB");

        assertThat(report.findings()).isEmpty();
        assertThat(report.summary())
                .isEqualTo(
                        "0 unused, 0 redundant, 0 broken, 0 bloated, 0 missing under foreign keys in 3 of 3 databases; 8 more in tables"
                                + " below smallest-table");
    }

    @Test
    void a_database_that_may_not_be_looked_into_is_not_evaluated_and_the_others_are() {
        JobReport report = run(cluster.as("reader", "secret"));

        assertThat(keys(report)).contains("index/redundant/chanuka.chanuka.votes_bill_id_idx");
        assertThat(report.notEvaluated())
                .extracting(NotEvaluated::subject)
                .anyMatch(subject -> subject.equals("indexes of database sealed"));
        assertThat(report.hasLookedFor("index/redundant/sealed.public.x")).isFalse();
        assertThat(report.hasLookedFor("index/redundant/chanuka.public.x")).isTrue();
        assertThat(report.exitStatus()).isEqualTo(6);
    }

    @Test
    void a_node_that_does_not_answer_makes_every_drop_wait() {
        JobReport report = run(cluster.withNode(1));

        assertThat(report.findings().get(0).remedy())
                .isEqualTo("not now: node 127.0.0.1:1 was not asked: it does not answer");
        assertThat(text(report, "statements"))
                .contains("\n-- DROP INDEX CONCURRENTLY chanuka.votes_bill_id_idx;\n")
                .contains(
                        "\nCREATE INDEX CONCURRENTLY comments_user_id_idx ON chanuka.comments USING btree (user_id);\n");
        assertThat(report.notEvaluated())
                .extracting(NotEvaluated::subject)
                .contains("what 127.0.0.1:1 uses in database chanuka");
    }

    @Test
    void a_cluster_that_does_not_answer_is_not_evaluated() {
        JobReport report = run(cluster.through(1));

        assertThat(report.summary()).isEqualTo("nothing judged: no primary of cluster chanuka answers");
        assertThat(report.hasLookedFor("index/invalid/x.y.z")).isFalse();
        assertThat(report.exitStatus()).isEqualTo(6);
    }

    @Test
    void a_dry_run_says_where_it_would_look() {
        JobReport report = JobRun.dry(new IndexAnalysisJobType(), cluster, IndexAnalysisSettings.defaults())
                .attempt()
                .completed()
                .report();

        assertThat(report.findings()).isEmpty();
        assertThat(report.summary())
                .isEqualTo("would look at 3 databases (chanuka, postgres, sealed) on 1 of 1 nodes, which answer");
    }

    @Test
    void a_table_that_somebody_has_locked_is_not_evaluated_and_not_waited_for() throws SQLException {
        try (Connection holder = cluster.postgres().connect("chanuka");
                Statement held = holder.createStatement()) {
            holder.setAutoCommit(false);
            held.execute("LOCK TABLE chanuka.users IN ACCESS EXCLUSIVE MODE");

            JobReport report = run(cluster);

            assertThat(report.notEvaluated())
                    .extracting(NotEvaluated::subject)
                    .containsExactly("indexes of chanuka.chanuka.users");
            assertThat(report.hasLookedFor("index/redundant/chanuka.chanuka.users_county_idx"))
                    .isFalse();
            assertThat(report.hasLookedFor("index/redundant/chanuka.chanuka.votes_bill_id_idx"))
                    .isTrue();
            assertThat(keys(report)).hasSize(8);
        }
    }

    @Test
    void a_name_of_several_lines_stays_a_comment_where_it_is_one() {
        cluster.postgres()
                .execute(
                        "sealed",
                        "CREATE TABLE lines (a integer, b integer)",
                        "CREATE INDEX \"x\nDROP TABLE lines; --\r\\! false\" ON lines (a)",
                        "CREATE INDEX lines_a_b ON lines (a, b)");
        try {
            assertThat(text(run(cluster, "smallest-table", "0B"), "statements")).contains("""
                    -- redundant sealed.public.x
                    -- DROP TABLE lines; --
                    -- \\! false
                    DROP INDEX CONCURRENTLY public."x
                    DROP TABLE lines; --\r\\! false";
                    -- undo: CREATE INDEX CONCURRENTLY "x
                    -- DROP TABLE lines; --
                    -- \\! false" ON public.lines USING btree (a);""");
        } finally {
            cluster.postgres().execute("sealed", "DROP TABLE lines");
        }
    }

    @Test
    void a_run_that_is_stopped_says_so_and_a_restart_looks_again() {
        JobRun run = JobRun.of(new IndexAnalysisJobType(), cluster, IndexAnalysisSettings.defaults());
        var stops = new AtomicBoolean(true);
        run.before("judgeIndexes", () -> {
            if (stops.getAndSet(false)) {
                run.cancel("asked to");
            }
        });

        JobRun.Outcome outcome = run.attempt();

        assertThat(outcome.failed()).hasMessageContaining("asked to");
        cluster.awaitNoTraces();
        assertThat(run.attempt().completed().steps()).containsExactly("judgeIndexes", "adviseFromPlans");
    }
}
