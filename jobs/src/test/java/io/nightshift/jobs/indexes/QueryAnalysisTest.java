package io.nightshift.jobs.indexes;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.index.plan.MissingLimits;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.workload.StatementBook;
import io.nightshift.infra.workload.WorkloadLimits;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Nights of a database whose queries lack an index. */
class QueryAnalysisTest {

    private static final Instant FIRST = Instant.parse("2026-11-01T01:00:00Z");
    private static final String KEY = "index/missing/shop.public.orders(customer)";

    private static final IndexAnalysisSettings SETTINGS = new IndexAnalysisSettings(
            DataSize.ofMegabytes(1),
            DataSize.ofMegabytes(10),
            Duration.ofDays(35),
            1000,
            5,
            List.of(),
            null,
            new WorkloadLimits(Duration.ofDays(35), 99, 10, Duration.ZERO, 50),
            new MissingLimits(1_000, new DataSize(8 << 10), 3, 8, 60, 50, 2, false));

    private static TestCluster cluster;

    private final StatementBook book = StatementBook.ofThisProcess();

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(18, Map.of("autovacuum", "off", "shared_preload_libraries", "pg_stat_statements"));
        cluster.postgres()
                .execute(
                        "postgres",
                        "CREATE DATABASE shop",
                        "CREATE DATABASE statistics",
                        "CREATE ROLE planner LOGIN PASSWORD 'secret' IN ROLE pg_monitor",
                        "CREATE ROLE watcher LOGIN PASSWORD 'secret' IN ROLE pg_monitor, pg_read_all_data");
        cluster.postgres().execute("statistics", "CREATE EXTENSION pg_stat_statements");
        cluster.postgres()
                .execute(
                        "shop",
                        "CREATE TABLE orders AS SELECT id, id % 2000 AS customer, repeat('x', 60) AS note"
                                + " FROM generate_series(1, 20000) AS id",
                        "ANALYZE orders",
                        "GRANT SELECT ON orders TO planner");
    }

    private static TestCluster asPlanner() {
        return cluster.as("planner", "secret");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private JobReport night(int number, TestCluster where) {
        return JobRun.of(new IndexAnalysisJobType(), where, SETTINGS)
                .keepingStatements(book)
                .at(Clock.fixed(FIRST.plus(Duration.ofDays(number)), ZoneOffset.UTC))
                .attempt()
                .completed()
                .report();
    }

    private static void work(int times) throws SQLException {
        try (Connection session = cluster.postgres().connect("shop");
                PreparedStatement statement = session.prepareStatement("SELECT note FROM orders WHERE customer = ?")) {
            for (int i = 0; i < times; i++) {
                statement.setInt(1, i);
                statement.execute();
            }
        }
    }

    private static Stream<String> keys(JobReport report) {
        return report.findings().stream().map(Finding::key);
    }

    private static String section(JobReport report, String title) {
        return report.sections().stream()
                .filter(section -> section.title().startsWith(title))
                .map(section -> section.data() instanceof Section.Text text
                        ? text.lines()
                        : ((Section.Table) section.data()).rows().toString())
                .findFirst()
                .orElse("");
    }

    @Test
    void what_queries_lack_is_told_from_the_second_night_on_until_it_is_there() throws SQLException {
        work(20);
        JobReport first = night(0, asPlanner());
        work(30);
        JobReport second = night(1, asPlanner());
        String script = section(second, "statements for missing");
        cluster.postgres().execute("shop", script.substring(script.indexOf("CREATE"), script.indexOf(";\n")));
        work(30);
        JobReport third = night(2, asPlanner());
        JobReport again = night(2, asPlanner());

        assertThat(first.findings()).isEmpty();
        assertThat(first.hasLookedFor(KEY)).isFalse();
        assertThat(first.exitStatus()).isZero();
        assertThat(keys(second)).containsExactly(KEY);
        assertThat(second.findings().get(0).detail())
                .matches(
                        "a query, with \\d+ % of the time of all queries here, looks for few of the 20,000 rows of public.orders"
                                + " \\([0-9.]+ MB\\) without an index that leads to them; with this one of \\d+ kB it would take about"
                                + " 9\\d % less time \\(estimated\\), and each new row of the table is written into it, too");
        assertThat(second.findings().get(0).remedy())
                .isEqualTo("CREATE INDEX CONCURRENTLY orders_customer_idx ON public.orders USING btree (customer)");
        assertThat(second.summary())
                .isEqualTo(
                        "0 unused, 0 redundant, 0 broken, 0 bloated, 0 missing under foreign keys in 3 of 3 databases; 1 missing for queries");
        assertThat(section(second, "queries by time, 1 night"))
                .contains("SELECT note FROM orders WHERE customer = $1", "30,");
        assertThat(keys(third)).isEmpty();
        assertThat(third.hasLookedFor(KEY)).isTrue();
        assertThat(section(third, "plans that have changed"))
                .contains(
                        "until 2026-11-02T01:00:00Z\n  Seq Scan on public.orders",
                        "now\n  Bitmap Heap Scan on public.orders");
        assertThat(section(again, "plans that have changed")).isEmpty();
        assertThat(section(again, "queries by time, 2 nights")).isNotEmpty();
        cluster.awaitNoTraces();
    }

    /** Who reads tables that others may not could be made to read them for those. */
    @Test
    void nothing_is_planned_with_rights_that_others_could_use() throws SQLException {
        TestCluster watched = cluster.as("watcher", "secret");
        night(0, watched);
        work(30);

        JobReport report = night(1, watched);

        assertThat(report.notEvaluated())
                .extracting(NotEvaluated::reason)
                .containsExactly("role watcher is a member of pg_read_all_data, and role planner may log in to this"
                        + " database: planning calls functions of others with these rights\n"
                        + "HINT: set planner to a role that may only SELECT, or missing.trust-functions if that is all"
                        + " right");
        assertThat(report.hasLookedFor(KEY)).isFalse();
    }

    @Test
    void a_role_that_only_reads_plans_for_one_that_may_more() throws SQLException, IOException {
        Path hba = cluster.postgres().dataDirectory().resolve("pg_hba.conf");
        Files.writeString(hba, "host all planner 127.0.0.1/32 trust\n" + Files.readString(hba));
        cluster.postgres().execute("shop", "SELECT pg_reload_conf()", "DROP INDEX IF EXISTS orders_customer_idx");
        night(0, cluster);
        work(30);

        JobReport report = JobRun.of(
                        new IndexAnalysisJobType(),
                        cluster,
                        RecordBinder.withOverrides(SETTINGS, Map.of("planner", "planner")))
                .keepingStatements(book)
                .at(Clock.fixed(FIRST.plus(Duration.ofDays(1)), ZoneOffset.UTC))
                .attempt()
                .completed()
                .report();

        assertThat(report.notEvaluated()).isEmpty();
        assertThat(keys(report)).containsExactly(KEY);
    }

    @Test
    void an_index_with_the_columns_in_another_order_is_named() throws SQLException {
        cluster.postgres()
                .execute(
                        "shop",
                        "DROP INDEX IF EXISTS orders_customer_idx",
                        "CREATE INDEX orders_misordered ON orders (id, note, customer)");
        try {
            night(0, asPlanner());
            work(30);

            JobReport report = night(1, asPlanner());

            assertThat(keys(report)).containsExactly(KEY);
            assertThat(report.findings().get(0).detail())
                    .endsWith(
                            "; public.orders_misordered (id, note, customer) has its columns too, but in an order that does not"
                                    + " lead to the rows");
        } finally {
            cluster.postgres().execute("shop", "DROP INDEX orders_misordered");
        }
    }

    @Test
    void an_index_that_a_foreign_key_lacks_too_is_made_once() throws SQLException {
        cluster.postgres()
                .execute(
                        "shop",
                        "DROP INDEX IF EXISTS orders_customer_idx",
                        "CREATE TABLE customers AS SELECT generate_series(0, 2000) AS id",
                        "ALTER TABLE customers ADD PRIMARY KEY (id)",
                        "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers");
        try {
            night(0, asPlanner());
            work(30);

            JobReport report = night(1, asPlanner());

            assertThat(keys(report)).containsExactly("index/foreign-key/shop.public.orders(customer)", KEY);
            assertThat(report.findings().get(1).remedy())
                    .isEqualTo("not now: the advice for a foreign key with the same columns makes this index");
            assertThat(section(report, "statements for missing"))
                    .contains("\n-- CREATE INDEX CONCURRENTLY orders_customer_idx");
        } finally {
            cluster.postgres().execute("shop", "DROP TABLE customers CASCADE");
        }
    }

    @Test
    void a_node_that_lets_us_in_no_more_is_not_evaluated() {
        JobRun run = JobRun.of(new IndexAnalysisJobType(), asPlanner(), SETTINGS)
                .keepingStatements(book)
                .at(Clock.fixed(FIRST, ZoneOffset.UTC));
        run.before("snapshotStatements", () -> cluster.postgres().execute("shop", "ALTER ROLE planner NOLOGIN"));
        run.before("judgeIndexes", () -> cluster.postgres().execute("shop", "ALTER ROLE planner LOGIN"));

        JobReport report = run.attempt().completed().report();

        assertThat(report.notEvaluated())
                .extracting(NotEvaluated::subject)
                .containsExactly(
                        "queries of node 127.0.0.1:" + cluster.postgres().port());
        assertThat(report.notEvaluated().get(0).reason()).contains("not permitted to log in");
        assertThat(report.hasLookedFor(KEY)).isFalse();
    }

    @Test
    void a_server_without_the_extension_is_not_evaluated() {
        cluster.postgres().execute("statistics", "DROP EXTENSION pg_stat_statements");
        try {
            JobReport report = night(0, cluster);

            assertThat(report.notEvaluated())
                    .extracting(NotEvaluated::reason)
                    .containsExactly("no database that we may look into has the extension pg_stat_statements");
            assertThat(report.hasLookedFor(KEY)).isFalse();
            assertThat(report.exitStatus()).isEqualTo(6);
        } finally {
            cluster.postgres().execute("statistics", "CREATE EXTENSION pg_stat_statements");
        }
    }
}
