package io.nightshift.jobs.integrity.rule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.Rules;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.integrity.IntegritySettings;
import io.nightshift.jobs.integrity.IntegrityValidationJobType;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A shop whose rows break rules that its schema does not have. */
class CheckRulesTest {

    private static final IntegrityValidationJobType TYPE = new IntegrityValidationJobType();

    private static TestCluster cluster;
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        cluster = open(18);
        postgres = cluster.postgres();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static TestCluster open(int major) {
        TestCluster opened = TestCluster.start(major, Map.of("autovacuum", "off"));
        TestPostgres server = opened.postgres();
        // Two orders of texts: B comes before a, or after it.
        server.execute(
                "postgres",
                "CREATE DATABASE shop TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'",
                "CREATE DATABASE mirror TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'");
        server.execute("postgres", RuleFiles.MAKE_LOGIN);
        for (String database : List.of("shop", "mirror")) {
            server.execute(
                    database,
                    "CREATE TYPE state AS ENUM ('new', 'paid', 'lost')",
                    "CREATE TABLE customer (id int PRIMARY KEY, email text, region text, seen_at timestamptz)",
                    "INSERT INTO customer SELECT i, 'person' || i || '@example.org', 'r' || i % 3, now()"
                            + " FROM generate_series(1, 100) i",
                    "CREATE TABLE bill (id bigint PRIMARY KEY, customer_id int, code text, state state, amount numeric(12,2))",
                    "INSERT INTO bill SELECT i, 1 + i % 100, 'b' || i, 'paid', i FROM generate_series(1, 1000) i",
                    "CREATE TABLE nothing (at timestamptz)",
                    "CREATE TABLE many (word text, part int, body jsonb, PRIMARY KEY (word, part))",
                    "INSERT INTO many SELECT CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' ELSE 'ä' END || i / 7, i % 7, '{}'"
                            + " FROM generate_series(1, 21000) i");
        }
        server.execute(
                "shop",
                "UPDATE bill SET amount = -1 WHERE id IN (7, 8)",
                "UPDATE bill SET customer_id = 777 WHERE id = 9",
                "UPDATE bill SET customer_id = NULL WHERE id = 10",
                "UPDATE bill SET code = 'b11' WHERE id = 12",
                "UPDATE bill SET code = NULL WHERE id = 13",
                "UPDATE bill SET state = 'lost' WHERE id = 14");
        // The same number, written otherwise; a row that differs, one that lacks, one too many.
        server.execute(
                "mirror",
                "ALTER TABLE bill ALTER amount TYPE numeric",
                "UPDATE bill SET amount = 5.000 WHERE id = 5",
                "UPDATE bill SET amount = -1 WHERE id IN (7, 8)",
                "UPDATE bill SET customer_id = 777 WHERE id = 9",
                "UPDATE bill SET customer_id = NULL WHERE id = 10",
                "UPDATE bill SET code = 'b11' WHERE id = 12",
                "UPDATE bill SET code = NULL WHERE id = 13",
                "UPDATE bill SET state = 'lost' WHERE id = 14",
                "UPDATE bill SET code = 'other' WHERE id = 20",
                "DELETE FROM bill WHERE id = 30",
                "INSERT INTO bill VALUES (5000, 1, 'b5000', 'paid', 1)",
                "UPDATE many SET body = '{\"a\": 1}' WHERE (word, part) IN (('B1', 3), ('ä2999', 6))",
                "DELETE FROM many WHERE word = 'a3' AND part = 0",
                "INSERT INTO many VALUES ('z', 1, '{}')");
        return opened;
    }

    /** Only the rules. */
    private static IntegritySettings settings() {
        return RecordBinder.fromMap(
                IntegritySettings.class,
                Map.of(
                        "except",
                        List.of("heap", "btree", "open", "unique", "foreign-key", "check-constraint", "not-null")));
    }

    private static JobReport report(String rules) {
        return asked(RuleFiles.LOGIN + rules.indent(2));
    }

    private static JobReport asked(String file) {
        return asked(cluster, RuleFiles.read(cluster, file));
    }

    /** The step alone. */
    static JobReport asked(TestCluster on, Rules rules) {
        return asked(on, rules, settings());
    }

    private static JobReport asked(TestCluster on, Rules rules, IntegritySettings settings) {
        var run = JobRun.of(TYPE, on, settings);
        try (var clusters = on.orchestrator()) {
            new CheckRulesTasklet(run.context(), clusters, on.restoredCopies(), rules, Clock.systemUTC())
                    .execute(null, null);
        }
        return run.report();
    }

    /** A column of the table of rules, by their ids. */
    private static Map<String, String> column(JobReport report, int column) {
        Map<String, String> byRule = new TreeMap<>();
        report.sections().stream()
                .filter(section -> section.title().equals("rules"))
                .map(section -> (Section.Table) section.data())
                .forEach(table -> table.rows().forEach(row -> byRule.put(row.get(0), row.get(column))));
        return byRule;
    }

    private static Map<String, String> states(JobReport report) {
        return column(report, 1);
    }

    private static Map<String, String> measured(JobReport report) {
        return column(report, 2);
    }

    private static String detail(JobReport report, String rule) {
        return finding(report, rule).detail();
    }

    private static Finding finding(JobReport report, String rule) {
        return report.findings().stream()
                .filter(finding -> finding.key().equals("integrity/rule/" + rule + "/node"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(report));
    }

    private static String reason(JobReport report, String rule) {
        return report.notEvaluated().stream()
                .filter(gap -> gap.subject().equals("rule " + rule))
                .map(NotEvaluated::reason)
                .findFirst()
                .orElseThrow(() -> new AssertionError(report));
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void each_kind_of_rule_passes_warns_and_fails(int major) {
        TestCluster own = major == 18 ? cluster : open(major);
        JobReport report;
        try {
            Rules rules = RuleFiles.read(own, RuleFiles.LOGIN + """
                    rows-pass: {failing-rows: SELECT id FROM public.bill WHERE amount > 5000}
                    rows-warn: {failing-rows: "SELECT id FROM public.bill WHERE amount < 0;", warn: {rows: ">0"}, error: {rows: ">2"}}
                    rows-fail: {failing-rows: "SELECT id FROM public.bill WHERE amount < 0 -- negative", key: [id]}
                    expression-pass: {table: public.bill, expression: amount >= -1}
                    expression-fail: {table: public.bill, expression: amount >= 0}
                    unique-pass: {table: public.bill, unique: [id, code]}
                    unique-fail: {table: public.bill, unique: [code]}
                    not-null-pass: {table: public.bill, not-null: [id, amount]}
                    not-null-fail: {table: public.bill, not-null: [customer_id, code]}
                    accepted-pass: {table: public.bill, accepted-values: {column: state, values: [new, paid, lost]}}
                    accepted-fail: {table: public.bill, accepted-values: {column: state, values: [new, paid]}}
                    accepted-code: {table: public.bill, filter: id < 3, accepted-values: {column: code, values: [b1, b2]}}
                    range-pass: {table: public.bill, range: {column: amount, min: -1, max: 1000}}
                    range-fail: {table: public.bill, range: {column: amount, min: 0, max: 999.5}}
                    relationship-pass:
                      {table: public.bill, filter: id <> 9, relationship: {columns: [customer_id], references: public.customer}}
                    relationship-fail:
                      {table: public.bill, relationship: {columns: [customer_id], references: public.customer, keys: [id]}}
                    count-pass: {table: public.bill, row-count: true, error: {value: "<1000"}}
                    count-warn: {table: public.bill, row-count: true, warn: {value: "<1001"}, error: {value: "<10"}}
                    count-fail: {table: public.nothing, row-count: true, error: {value: "=0"}}
                    fresh-pass: {table: public.customer, freshness: seen_at, error: {age: 1h}}
                    fresh-fail: {table: public.nothing, freshness: at, error: {age: 1h}}
                    aggregate-pass: {table: public.nothing, aggregate: count(*), error: {value: "!=0"}}
                    aggregate-fail: {table: public.bill, aggregate: min(amount), error: {value: "<0"}}
                    aggregate-null: {table: public.nothing, aggregate: "sum(1)", error: {value: "<0"}}
                    compare-pass: {table: public.customer, compare: {database: mirror, columns: [id, email]}}
                    compare-rows: {table: public.bill, compare: {database: mirror}}
                    compare-many: {table: public.many, compare: {database: mirror}}
                    compare-groups:
                      {table: public.bill, compare: {database: mirror, measures: [count(*), sum(amount)], by: [state]}}
                    compare-numbers:
                      {table: public.bill, filter: id < 20, compare: {database: mirror, measures: [sum(amount)], by: [amount]}}
                    """.indent(2));
            // The whole job once.
            report = own == cluster
                    ? JobRun.of(TYPE, own, settings())
                            .withRules(rules)
                            .attempt()
                            .completed()
                            .report()
                    : asked(own, rules);
        } finally {
            if (own != cluster) {
                own.close();
            }
        }

        assertThat(states(report))
                .allSatisfy((rule, state) -> assertThat(state)
                        .as(rule + " " + measured(report).get(rule))
                        .isEqualTo(
                                rule.endsWith("pass") || rule.equals("accepted-code") || rule.equals("compare-numbers")
                                        ? "pass"
                                        : rule.endsWith("warn")
                                                ? "warn"
                                                : rule.equals("aggregate-null") ? "not evaluated" : "fail"));
        assertThat(states(report)).hasSize(29);
        assertThat(measured(report))
                .containsEntry("rows-pass", "0 rows")
                .containsEntry("expression-pass", "0 of 1,000 rows")
                .containsEntry("expression-fail", "2 of 1,000 rows (0.200 %)")
                .containsEntry("unique-fail", "2 of 999 rows (0.200 %)")
                .containsEntry("aggregate-pass", "0")
                .containsEntry("compare-rows", "3 of 1,001 rows (0.300 %)")
                .containsEntry("compare-many", "4 of 21,001 rows (0.0190 %)")
                .containsEntry("fresh-fail", "no rows");
        assertThat(detail(report, "rows-fail")).contains("2 rows, broken from rows >0: id 7; id 8");
        assertThat(detail(report, "expression-fail")).contains(": id 7; id 8 (primary 127.0.0.1:");
        assertThat(detail(report, "unique-fail")).contains(": code b11: 2 times (");
        assertThat(detail(report, "not-null-fail"))
                .contains("id 10, customer_id null, code b10; id 13, customer_id 14, code null");
        assertThat(detail(report, "accepted-fail")).contains("id 14, state lost");
        assertThat(detail(report, "relationship-fail")).contains("1 of 1,000 rows (0.100 %)", "id 9, customer_id 777");
        assertThat(detail(report, "compare-rows")).contains("id 20: differs; id 30: only here; id 5000: only there");
        assertThat(detail(report, "compare-many"))
                .contains(
                        "word B1, part 3: differs",
                        "word a3, part 0: only here",
                        "word ä2999, part 6: differs",
                        "word z, part 1: only there");
        assertThat(detail(report, "compare-groups")).contains("state paid: 999, 500469.00 here and 999, ");
        assertThat(reason(report, "aggregate-null")).startsWith("the aggregate of no rows is null (");
        assertThat(report.figures())
                .anySatisfy(figure -> {
                    assertThat(figure.name()).isEqualTo("rule aggregate-pass");
                    assertThat(figure.value().doubleValue()).isZero();
                })
                .anySatisfy(figure -> {
                    assertThat(figure.name()).isEqualTo("rule range-pass");
                    assertThat(figure.value()).isEqualTo(0L);
                    assertThat(figure.unit()).isEqualTo("rows");
                });
        if (own == cluster) {
            assertThat(report.summary()).endsWith("; 15 rules broken, 28 of 29 asked");
        }
        assertThat(report.exitStatus()).isEqualTo(3);
    }

    @Test
    void two_clusters_are_compared_whichever_comes_first() {
        Rules rules = RuleFiles.read(cluster, RuleFiles.LOGIN + """
                alpha: {table: public.bill, compare: {cluster: alpha, database: mirror}}
                zulu: {table: public.bill, compare: {cluster: zulu, database: mirror, columns: [id]}}
              """);
        var run = JobRun.of(TYPE, cluster, settings());
        try (var one = cluster.orchestrator();
                var clusters = new DatabaseOrchestrator(
                        Map.of(
                                TestCluster.NAME,
                                one.cluster(TestCluster.NAME).config(),
                                "alpha",
                                readingAs("alpha", one.cluster(TestCluster.NAME).config()),
                                "zulu",
                                readingAs("zulu", one.cluster(TestCluster.NAME).config())),
                        Passwords.of(Map.of("HOME", "")),
                        Clock.systemUTC())) {
            new CheckRulesTasklet(run.context(), clusters, cluster.restoredCopies(), rules, Clock.systemUTC())
                    .execute(null, null);
        }

        String places = " (shop.public.bill on primary 127.0.0.1:%d and mirror.public.bill on primary localhost:%<d)"
                .formatted(postgres.port());
        assertThat(detail(run.report(), "alpha"))
                .endsWith(": id 20: differs; id 30: only here; id 5000: only there" + places);
        assertThat(detail(run.report(), "zulu"))
                .startsWith("2 of 1,001 rows")
                .endsWith(": id 30: only here; id 5000: only there" + places);
    }

    /** The same server under another name. */
    private static ClusterConfig readingAs(String name, ClusterConfig same) {
        return new ClusterConfig(
                name,
                List.of(new NodeAddress("localhost", same.nodes().get(0).port())),
                "rule_reader",
                same.password(),
                same.sslmode(),
                null,
                null,
                null,
                same.behindAddressTranslation(),
                same.database(),
                same.databases(),
                same.storages(),
                same.heavyRuns(),
                same.labels());
    }

    @Test
    void counts_and_shares_are_limits_of_their_own() {
        JobReport report = report("""
                few-rows: {table: public.bill, expression: amount >= 0, warn: {rows: ">0"}, error: {rows: ">2", pct: ">0.2"}}
                large-share: {table: public.bill, expression: amount >= 0, warn: {rows: ">0"}, error: {rows: ">2", pct: ">0.1"}}
                many-rows: {table: public.bill, expression: amount >= 0, error: {rows: ">1", pct: ">50"}}
                share-of-statement: {table: public.bill, failing-rows: SELECT FROM public.bill WHERE id < 501, error: {pct: ">=50"}}
                nothing-at-all: {table: public.nothing, expression: "false", error: {pct: ">0"}}
                """);

        assertThat(states(report))
                .containsEntry("few-rows", "warn")
                .containsEntry("large-share", "fail")
                .containsEntry("many-rows", "fail")
                .containsEntry("share-of-statement", "fail")
                .containsEntry("nothing-at-all", "pass");
        assertThat(finding(report, "few-rows").severity()).isEqualTo(Severity.WARNING);
        assertThat(finding(report, "large-share").severity()).isEqualTo(Severity.ERROR);
        assertThat(detail(report, "large-share")).contains("broken from rows >2 or pct >0.1");
    }

    @Test
    void all_rows_are_counted_few_are_shown_and_what_is_masked_never_is() {
        JobReport report = report("""
                shown: {table: public.customer, key: [id, email], expression: id < 0, sample: 2, masks: [email]}
                by-statement:
                  {failing-rows: "SELECT email FROM public.customer WHERE id = 3", key: [email], masks: [email]}
                in-an-error:
                  {table: public.customer, expression: "email::int > 0", masks: [email]}
                grouped: {table: public.customer, unique: [region], masks: [region], sample: 1}
                compared:
                  {table: public.customer, filter: id = 1, key: [email], masks: [email], compare: {table: public.twin}}
                """);

        assertThat(detail(report, "shown")).contains("100 of 100 rows", ": id 1, email p***; id 2, email p*** (");
        assertThat(detail(report, "by-statement")).contains("1 row, broken from rows >0: email p*** (");
        assertThat(detail(report, "grouped")).contains("region r***: 34 times (");
        assertThat(reason(report, "in-an-error")).startsWith("data exception, SQLSTATE 22P02; the rule has masks");
        assertThat(reason(report, "compared")).startsWith("table public.twin does not exist in database shop");
        assertThat(report.toString()).doesNotContain("person");
    }

    @Test
    void a_suppressed_rule_is_told_and_troubles_nobody_until_its_day() {
        JobReport report = report("""
                quiet: {table: public.bill, expression: amount >= 0, suppress: {until: 2999-12-31, reason: ticket 4711}}
                over: {table: public.bill, expression: amount >= 0, owner: billing, runbook: "https://wiki/bills",
                       description: bills are not negative, suppress: {until: 2020-01-31, reason: ticket 4711}}
                """);

        assertThat(finding(report, "quiet").severity()).isEqualTo(Severity.INFO);
        assertThat(detail(report, "quiet")).startsWith("suppressed until 2999-12-31, ticket 4711: 2 of 1,000 rows");
        assertThat(states(report)).containsEntry("quiet", "suppressed until 2999-12-31");
        assertThat(finding(report, "over").severity()).isEqualTo(Severity.ERROR);
        assertThat(detail(report, "over"))
                .startsWith("bills are not negative: 2 of")
                .endsWith("; its suppression ended on 2020-01-31: ticket 4711");
        assertThat(finding(report, "over").remedy()).isEqualTo("see https://wiki/bills; owner: billing");
        assertThat(report.exitStatus()).isEqualTo(3);
    }

    @Test
    void nothing_is_written_whatever_a_statement_tries() {
        postgres.execute(
                "shop",
                "CREATE SEQUENCE counter",
                "CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO bill VALUES (-1); RETURN 1; END'",
                "CREATE FUNCTION frees() RETURNS int LANGUAGE plpgsql AS 'BEGIN"
                        + " PERFORM set_config(''transaction_read_only'', ''off'', false); DELETE FROM bill; RETURN 1; END'",
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO rule_reader",
                "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO rule_reader");
        try {
            JobReport report = report("""
                    two: {failing-rows: "SELECT 1; DELETE FROM public.bill"}
                    two-in-brackets: {failing-rows: "SELECT 1) AS a; DELETE FROM public.bill; SELECT count(*) FROM (SELECT 1"}
                    deletes: {failing-rows: DELETE FROM public.bill RETURNING 1}
                    hidden: {failing-rows: WITH gone AS (DELETE FROM public.bill RETURNING 1) SELECT * FROM gone}
                    writes: {failing-rows: SELECT public.writes()}
                    frees: {failing-rows: SELECT public.frees()}
                    counts: {failing-rows: "SELECT nextval('public.counter')"}
                    locks: {failing-rows: "SELECT pg_advisory_lock(4711)"}
                    unlocked: {failing-rows: "SELECT FROM pg_locks WHERE locktype = 'advisory'"}
                    sets: {failing-rows: "SELECT set_config('statement_timeout', '0', false), set_config('search_path', 'x', false)"}
                    after-it: {table: public.bill, expression: id > 0, timeout: 1s}
                    """);

            assertThat(reason(report, "two")).startsWith("it is not one statement but 2");
            assertThat(reason(report, "two-in-brackets")).startsWith("it is not one statement but 3");
            assertThat(reason(report, "deletes")).startsWith("syntax error at or near");
            assertThat(reason(report, "hidden"))
                    .startsWith("WITH clause containing a data-modifying statement must be");
            assertThat(reason(report, "writes")).startsWith("cannot execute INSERT in a read-only transaction");
            assertThat(reason(report, "frees")).startsWith("transaction read-write mode must be set before any query");
            assertThat(reason(report, "counts")).startsWith("cannot execute nextval() in a read-only transaction");
            assertThat(states(report))
                    .containsEntry("after-it", "pass")
                    .containsEntry("locks", "fail")
                    .containsEntry("unlocked", "pass");
            assertThat(postgres.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"))
                    .isZero();
        } finally {
            postgres.execute(
                    "shop",
                    "DROP FUNCTION writes, frees",
                    "DROP SEQUENCE counter",
                    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM rule_reader");
        }
    }

    @Test
    void a_role_that_may_do_more_than_read_is_not_asked_as() {
        postgres.execute(
                "postgres",
                "CREATE ROLE between",
                "GRANT pg_execute_server_program TO between",
                "CREATE ROLE writer LOGIN NOINHERIT IN ROLE between, pg_read_all_data",
                "CREATE ROLE signaller LOGIN IN ROLE pg_signal_backend, pg_read_all_data",
                "CREATE ROLE replicator LOGIN REPLICATION",
                "CREATE ROLE behind LOGIN NOINHERIT IN ROLE replicator",
                "CREATE ROLE switcher LOGIN",
                "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM pg_authid WHERE rolname = current_user)"
                        + " WHERE rolname IN ('writer', 'signaller', 'replicator', 'behind', 'switcher')");
        postgres.execute("shop", "GRANT EXECUTE ON FUNCTION pg_switch_wal TO switcher");
        String rule = "database: shop\nrules:\n  one: {table: public.bill, row-count: true, error: {value: \"<0\"}}\n";
        try {
            assertThat(reason(asked(rule), "one"))
                    .startsWith(
                            "role postgres is a superuser: a statement of a rule is not asked as one who may do more");
            assertThat(reason(asked("username: writer\npassword: ${RULE_PASSWORD}\n" + rule), "one"))
                    .startsWith("role writer is a member of pg_execute_server_program: ");
            assertThat(reason(asked("username: signaller\npassword: ${RULE_PASSWORD}\n" + rule), "one"))
                    .startsWith("role signaller is a member of pg_signal_backend: ");
            assertThat(reason(asked("username: replicator\npassword: ${RULE_PASSWORD}\n" + rule), "one"))
                    .startsWith("role replicator is one with REPLICATION: ");
            assertThat(reason(asked("username: behind\npassword: ${RULE_PASSWORD}\n" + rule), "one"))
                    .startsWith("role behind is a member of replicator, which has REPLICATION: ");
            assertThat(reason(asked("username: switcher\npassword: ${RULE_PASSWORD}\n" + rule), "one"))
                    .startsWith("role switcher is allowed to call pg_switch_wal: ");
            assertThat(reason(asked("username: nobody\npassword: ${RULE_PASSWORD}\n" + rule), "one"))
                    .contains("password authentication failed for user \"nobody\"");
            assertThat(states(asked("username: rule_reader\npassword: ${RULE_PASSWORD}\n" + rule)))
                    .containsEntry("one", "pass");
        } finally {
            postgres.execute("shop", "REVOKE EXECUTE ON FUNCTION pg_switch_wal FROM switcher");
            postgres.execute("postgres", "DROP ROLE writer, signaller, between, behind, replicator, switcher");
        }
    }

    @Test
    void what_is_not_there_too_slow_hidden_or_locked_is_not_evaluated_and_all_of_it_is_said() throws SQLException {
        postgres.execute(
                "shop",
                "CREATE TABLE secret (id int)",
                "ALTER TABLE secret ENABLE ROW LEVEL SECURITY",
                "CREATE TABLE held (id int)");
        try (Connection holder = postgres.connect("shop");
                Statement statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE");
            JobReport report = report("""
                    no-table: {table: public.bil, expression: id > 0}
                    no-column: {table: public.bill, range: {column: amont, min: 0}, key: [ident]}
                    no-type: {table: public.bill, range: {column: amount, min: many}}
                    no-parent: {table: public.bill, relationship: {columns: [customer_id, id], references: public.customer}}
                    no-database: {database: shopp, table: public.bill, expression: id > 0}
                    too-slow: {table: public.bill, expression: pg_sleep(10) IS NOT NULL, timeout: 1s}
                    too-slow-is-wrong: {table: public.bill, expression: pg_sleep(10) IS NOT NULL, timeout: 1s, on-timeout: error}
                    hidden: {table: public.secret, expression: id > 0}
                    held: {table: public.held, expression: id > 0}
                    after-it: {table: public.bill, expression: id > 0}
                    """);

            assertThat(reason(report, "no-table")).startsWith("table public.bil does not exist in database shop");
            assertThat(reason(report, "no-column"))
                    .startsWith("column amont of table public.bill does not exist; did you mean amount?;"
                            + " column ident of table public.bill does not exist; it has id, customer_id, code");
            assertThat(reason(report, "no-type")).startsWith("invalid input syntax for type numeric: \"many\"");
            assertThat(reason(report, "no-parent"))
                    .startsWith(
                            "the primary key of public.customer has 1 columns, and columns has 2; say which in keys");
            assertThat(reason(report, "no-database")).contains("database \"shopp\" does not exist");
            assertThat(reason(report, "too-slow")).startsWith("it takes longer than its timeout of 1s");
            assertThat(detail(report, "too-slow-is-wrong")).startsWith("it takes longer than its timeout of 1s");
            assertThat(reason(report, "hidden")).startsWith("query would be affected by row-level security policy");
            assertThat(reason(report, "held")).startsWith("it is locked by another session");
            assertThat(states(report)).containsEntry("after-it", "pass");
            assertThat(report.hasLookedFor("integrity/rule/too-slow/node")).isFalse();
            assertThat(report.hasLookedFor("integrity/rule/too-slow-is-wrong/node"))
                    .isTrue();
        } finally {
            postgres.execute("shop", "DROP TABLE secret, held");
        }
    }

    @Test
    void what_would_look_true_and_is_not_known_to_be_is_no_pass() {
        postgres.execute("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
        postgres.execute("latin", "CREATE TABLE moved (id int PRIMARY KEY, value int)");
        postgres.execute(
                "shop",
                "CREATE TABLE moved (id int PRIMARY KEY, value int)",
                "INSERT INTO moved VALUES (1, 10), (2, 20)",
                "CREATE TABLE swapped AS SELECT id, 30 - value AS value FROM moved",
                "ALTER TABLE swapped ADD PRIMARY KEY (id)",
                "CREATE TABLE keyless (id int, part text)",
                "INSERT INTO keyless VALUES (1, NULL), (2, 'null'), (NULL, 'x')",
                "CREATE TABLE included (a int, b int, PRIMARY KEY (a) INCLUDE (b))",
                "INSERT INTO included VALUES (1, 2)",
                "CREATE TABLE parted (id int) PARTITION BY RANGE (id)",
                "CREATE TABLE parted_one PARTITION OF parted FOR VALUES FROM (0) TO (10)",
                "INSERT INTO parted VALUES (1)",
                "CREATE TABLE log (at timestamptz)",
                "INSERT INTO log VALUES (now()), ('infinity'), ('-infinity'), (now() + interval '1 day')");
        try {
            JobReport report = report("""
                    swapped: {table: public.moved, compare: {table: public.swapped, columns: [value]}}
                    swapped-rows: {table: public.moved, compare: {table: public.swapped}}
                    null-key: {table: public.keyless, key: [id], compare: {table: public.keyless}}
                    ahead: {table: public.log, freshness: at, error: {age: 1h}}
                    ahead-only: {table: public.log, filter: "at > now() + interval '1 h';", freshness: at, error: {age: 1h}}
                    column: {table: public.bill, aggregate: id, error: {value: "<0"}}
                    several: {table: public.bill, aggregate: "generate_series(1, 3)", error: {value: "<0"}}
                    measure: {table: public.bill, compare: {table: public.customer, measures: [id]}}
                    null-group: {table: public.keyless, compare: {table: public.keyless, measures: [count(*)], by: [part]}}
                    masked: {table: public.bill, masks: [code], compare: {database: mirror, measures: ["max(code)"]}}
                    included: {table: public.included, expression: b < 0}
                    parted: {table: public.parted, expression: id < 0}
                    unshown: {failing-rows: "SELECT 'told' FROM public.moved"}
                    few-of-none: {table: public.nothing, failing-rows: SELECT FROM public.moved, error: {pct: ">99"}}
                    third: {table: public.keyless, expression: id > 1, error: {pct: ">33.333333"}}
                    encoded: {table: public.moved, compare: {database: latin}}
                    huge: {table: public.bill, compare: {database: mirror, measures: ["'1e900000000'"]}}
                    believed: {failing-rows: SELECT id FROM public.moved WHERE id IS NULL}
                    """);

            assertThat(detail(report, "swapped")).contains("2 of 2 rows", ": id 1: differs; id 2: differs");
            assertThat(measured(report)).containsEntry("swapped-rows", "2 of 2 rows (100 %)");
            assertThat(reason(report, "null-key")).startsWith("key id is null in rows of shop.public.keyless on");
            assertThat(states(report))
                    .containsEntry("ahead", "warn")
                    .containsEntry("ahead-only", "fail")
                    .containsEntry("null-group", "pass")
                    .containsEntry("huge", "pass")
                    .containsEntry("few-of-none", "fail")
                    .containsEntry("third", "fail");
            assertThat(measured(report).get("ahead")).matches("newest row \\d+ s old, without 2 rows in the future");
            assertThat(measured(report)).containsEntry("null-group", "0 of 3 groups");
            assertThat(reason(report, "column")).contains("must appear in the GROUP BY clause");
            assertThat(reason(report, "several")).startsWith("it is no aggregate: it returns none or several rows");
            assertThat(reason(report, "measure")).contains("must appear in the GROUP BY clause");
            assertThat(detail(report, "masked")).contains(": differs (");
            assertThat(detail(report, "included")).contains(": a 1 (");
            assertThat(detail(report, "parted")).contains(": row at (0,1) of parted_one (");
            assertThat(report.toString()).doesNotContain("told");
            assertThat(reason(report, "encoded"))
                    .startsWith("database shop is encoded as UTF8, and latin as LATIN1: the hashes of");
            assertThat(reason(report, "believed")).startsWith("the planner takes it from constraints");
        } finally {
            postgres.execute("shop", "DROP TABLE moved, swapped, keyless, included, parted, log");
        }
    }

    @Test
    void what_no_backup_holds_is_not_judged_on_a_copy() throws SQLException {
        postgres.execute(
                "shop",
                "CREATE UNLOGGED TABLE lost (id int)",
                "CREATE FUNCTION hides() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM lost); END'");
        Rules rules = RuleFiles.read(cluster, RuleFiles.LOGIN + """
                  own: {table: public.lost, expression: id > 0}
                  hidden: {failing-rows: SELECT WHERE public.hides() > 0}
                  kept: {table: public.bill, expression: id > 0}
                """);
        try (var copy = new RuleServer(
                "copy",
                RuleServer.Kind.COPY,
                database -> DriverManager.getConnection(postgres.url(database), "rule_reader", postgres.password()),
                new Cancellation())) {
            var judge = new RuleJudge(copy);

            List<RuleResult> results = rules.of(TestCluster.NAME).get(0).rules().stream()
                    .map(judge::judge)
                    .map(result -> result.ofCopy(copy.isCopy()))
                    .toList();
            var run = JobRun.of(TYPE, cluster, settings());
            new RuleReport(results, LocalDate.EPOCH).write(run.context());

            assertThat(results)
                    .extracting(RuleResult::reason)
                    .containsExactly(
                            "public.lost is unlogged, and so empty in a restored copy",
                            "public.lost is unlogged, and so empty in a restored copy",
                            "");
            assertThat(run.report().hasLookedFor("integrity/rule/kept/copy")).isTrue();
            assertThat(run.report().hasLookedFor("integrity/rule/kept/node")).isFalse();
        } finally {
            postgres.execute("shop", "DROP FUNCTION hides", "DROP TABLE lost");
        }
    }

    @Test
    void what_is_not_asked_within_the_time_limit_is_not_evaluated() {
        Rules rules = RuleFiles.read(cluster, RuleFiles.LOGIN + """
                  slow: {failing-rows: SELECT WHERE pg_sleep(1.1) IS NULL}
                  late: {table: public.bill, expression: id > 0}
                """);

        JobReport report =
                asked(cluster, rules, RecordBinder.fromMap(IntegritySettings.class, Map.of("time-limit", "1s")));

        assertThat(states(report)).containsEntry("slow", "pass");
        assertThat(reason(report, "late")).startsWith("not reached within time-limit 1s (primary");
    }

    @Test
    void whoever_waits_for_a_table_is_let_through_and_the_rule_is_asked_again() {
        postgres.execute(
                "shop",
                "CREATE TABLE wanted (id int)",
                "INSERT INTO wanted VALUES (-1)",
                "CREATE FUNCTION lazy(id int) RETURNS boolean LANGUAGE plpgsql AS"
                        + " 'BEGIN PERFORM pg_sleep(120); RETURN id > 0; END'");
        try {
            CompletableFuture<JobReport> asked = CompletableFuture.supplyAsync(
                    () -> report("lazy: {table: public.wanted, expression: lazy(id), timeout: 5m}"));
            await().until(() ->
                    postgres.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") > 0);

            postgres.execute(
                    "shop",
                    "SET lock_timeout = '30s'",
                    "BEGIN",
                    "ALTER TABLE wanted ADD COLUMN more int",
                    "CREATE OR REPLACE FUNCTION lazy(id int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN id > 0; END'",
                    "COMMIT");

            assertThat(detail(asked.join(), "lazy")).contains("1 of 1 rows");
        } finally {
            postgres.execute("shop", "DROP TABLE wanted", "DROP FUNCTION lazy");
        }
    }
}
