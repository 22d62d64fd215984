package io.nightshift.jobs.integrity.rule;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.Rules;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.TestCluster;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is proposed for a shop without constraints: it holds there. */
class RuleProposalTest {

    private static TestCluster cluster;
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(15, Map.of("autovacuum", "off"));
        postgres = cluster.postgres();
        postgres.execute("postgres", "CREATE DATABASE shop");
        postgres.execute("postgres", RuleFiles.MAKE_LOGIN);
        postgres.execute(
                "shop",
                "CREATE SCHEMA \"od.d\"",
                "CREATE TABLE customers (id int PRIMARY KEY, email text, first_name text, kind text, declared_id int)",
                "INSERT INTO customers SELECT i, 'secret' || i || '@example.org', 'Secret', (ARRAY['new', 'o''ld', '${x}'])[1 + i % 3]"
                        + " FROM generate_series(1, 300) i",
                "CREATE TABLE bills (id bigint PRIMARY KEY, customer_id bigint, broken_id int, code text, amount numeric,"
                        + " vat_pct int, balance_amount int, checked_count int CHECK (checked_count > 0), created_at timestamptz)",
                "CREATE TABLE broken (id int PRIMARY KEY)",
                "INSERT INTO broken VALUES (1)",
                "INSERT INTO bills SELECT i, 1 + i % 300, 1 + i / 1000, 'c' || i, i / 7.0, i % 30, i - 500, 1, now() - i * interval '1 s'"
                        + " FROM generate_series(1, 1000) i",
                "CREATE TABLE \"od.d\".\"Ta ble\" (id int PRIMARY KEY, customer_id int, \"Kind: x\" text)",
                "INSERT INTO \"od.d\".\"Ta ble\" SELECT i, i, (ARRAY['a', 'b'])[1 + i % 2] FROM generate_series(1, 300) i",
                "CREATE TABLE quiet (id int)",
                "ANALYZE customers, bills, broken, \"od.d\".\"Ta ble\"");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static List<String> proposed(String role, String password) throws SQLException {
        Connection connection = DriverManager.getConnection(postgres.url("shop"), role, password);
        return RuleProposal.lines(connection, TestCluster.NAME, "shop", new Cancellation());
    }

    @Test
    void what_is_proposed_can_be_asked_and_holds() throws SQLException {
        List<String> lines = proposed("rule_reader", postgres.password());
        String file = String.join("\n", lines)
                .replace("# username:", "username:")
                .replace("# password: ${RULES_PASSWORD}", "password: ${RULE_PASSWORD}");
        Rules rules = RuleFiles.read(cluster, file);

        RuleCheckup checkup;
        try (var clusters = cluster.orchestrator()) {
            checkup = RuleCheckup.of(clusters, rules, TestCluster.NAME, new Cancellation());
        }
        JobReport report = CheckRulesTest.asked(cluster, rules);

        assertThat(checkup.rows())
                .allSatisfy(row -> assertThat(row.problems()).as(row.rule()).isEmpty())
                .extracting(RuleCheckup.Row::rule)
                .containsExactly(
                        "ta-ble-customer-id-relationship",
                        "ta-ble-kind-x-values",
                        "bills-customer-id-relationship",
                        "bills-code-unique",
                        "bills-amount-range",
                        "bills-vat-pct-range",
                        "bills-created-at-fresh",
                        "customers-email-shape",
                        "customers-kind-values");
        assertThat(report.sections())
                .filteredOn(section -> section.title().equals("rules"))
                .singleElement()
                .satisfies(section -> assertThat(((Section.Table) section.data()).rows())
                        .hasSize(9)
                        .allSatisfy(row -> assertThat(row.get(1)).as("%s", row).isEqualTo("pass")));
    }

    @Test
    void each_says_why_and_no_value_of_a_person_is_written() throws SQLException {
        List<String> lines = proposed("rule_reader", postgres.password());

        assertThat(lines)
                .contains(
                        "  # public.bills.customer_id names public.customers, where each of its values is; no foreign key says so",
                        "    relationship: {columns: [customer_id], references: public.customers, keys: [id]}",
                        "  # public.bills.broken_id names public.broken, but 1 of 1000 rows have no parent there: worth a look,"
                                + " and no rule that holds",
                        "    accepted-values: {column: kind, values: ['$${x}', new, 'o''ld']}",
                        "    range: {column: vat_pct, min: 0, max: 100}",
                        "  # public.customers.email looks personal: its values are not shown, and all have the shape x@y",
                        "    masks: [email]",
                        "# not proposed for public.quiet: it has no statistics: ANALYZE");
        assertThat(String.join("\n", lines)).doesNotContainIgnoringCase("secret");
    }

    @Test
    void a_role_without_rights_says_what_it_does_not_see() throws SQLException {
        postgres.execute("shop", "CREATE ROLE blind LOGIN PASSWORD 'blind'", "GRANT SELECT ON customers TO blind");
        try {
            assertThat(proposed("blind", "blind"))
                    .contains(
                            "  customers-kind-values:",
                            "# not proposed for public.bills: our role may not read it: GRANT SELECT, or pg_read_all_data")
                    .doesNotContain("  bills-amount-range:");
        } finally {
            postgres.execute("shop", "DROP OWNED BY blind", "DROP ROLE blind");
        }
    }
}
