package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RulesReaderTest {

    private static final String FILE = "rules/chanuka.yaml";

    @TempDir
    Path root;

    private List<String> problems(String yaml) {
        return ConfigurationDirectory.valid(root).write(FILE, yaml).check().problems().stream()
                .map(Problem::toString)
                .toList();
    }

    @Test
    void defaults() {
        RuleConfig rule = ConfigurationDirectory.valid(root)
                .write(FILE, "database: shop\nrules:\n  one: {table: shop.bill, not-null: [id]}\n")
                .load()
                .rules()
                .of("chanuka")
                .get(0)
                .rules()
                .get(0);

        assertThat(rule)
                .isEqualTo(new RuleConfig(
                        "one",
                        null,
                        "shop",
                        "shop.bill",
                        new RuleCheck.NotNull(List.of("id")),
                        null,
                        List.of(),
                        new RuleConfig.Limits(null, RuleLimit.ANY_ROW),
                        new RuleConfig.Shown(5, List.of()),
                        new RuleConfig.Running(null, Duration.ofMinutes(1), RuleConfig.OnTimeout.NOT_EVALUATED),
                        new RuleConfig.Duty(null, null),
                        null));
    }

    @Test
    void all_keys() {
        Rules rules = ConfigurationDirectory.valid(root)
                .with("RULES_PASSWORD", "reads only")
                .write("rules/bills.yaml", """
                        cluster: chanuka
                        database: shop
                        username: rule_reader
                        password: ${RULES_PASSWORD}
                        rules:
                          all-of-it:
                            description: what is paid was asked for
                            database: archive
                            table: shop.bill
                            range: {column: amount, min: 0, max: 10}
                            filter: state = 'paid'
                            key: [id, email]
                            warn: {rows: ">0"}
                            error: {rows: ">10", pct: ">0.01"}
                            sample: 20
                            masks: [email]
                            route: primary
                            timeout: 5m
                            on-timeout: error
                            owner: billing
                            runbook: https://wiki/bills
                            suppress: {until: 2027-01-31, reason: ticket 4711}
                        """)
                .load()
                .rules();

        assertThat(rules.count()).isEqualTo(1);
        assertThat(rules.login("chanuka").orElseThrow().username()).isEqualTo("rule_reader");
        assertThat(rules.files().get("bills").rules().get(0))
                .isEqualTo(new RuleConfig(
                        "all-of-it",
                        "what is paid was asked for",
                        "archive",
                        "shop.bill",
                        new RuleCheck.Range("amount", "0", "10"),
                        "state = 'paid'",
                        List.of("id", "email"),
                        new RuleConfig.Limits(
                                new RuleLimit(Bound.parse(">0"), null, null, null),
                                new RuleLimit(Bound.parse(">10"), Bound.parse(">0.01"), null, null)),
                        new RuleConfig.Shown(20, List.of("email")),
                        new RuleConfig.Running(
                                RuleConfig.Route.PRIMARY, Duration.ofMinutes(5), RuleConfig.OnTimeout.ERROR),
                        new RuleConfig.Duty("billing", "https://wiki/bills"),
                        new RuleConfig.Suppression(LocalDate.of(2027, 1, 31), "ticket 4711")));
    }

    @Test
    void every_fault_of_every_rule_is_told_with_its_line() {
        List<String> problems = problems("""
                database: shop
                rules:
                  Upper: {table: shop.bill, not-null: [id]}
                  nothing: {table: shop.bill}
                  two: {table: shop.bill, not-null: [id], unique: [id]}
                  mistyped: {table: shop.bill, rang: {column: id, min: 0}}
                  no-table: {expression: id > 0}
                  no-schema: {table: bill, not-null: [id]}
                  bad-bound: {table: shop.bill, not-null: [id], error: {rows: 10}}
                  wrong-bound: {table: shop.bill, row-count: true, error: {rows: ">0"}}
                  no-bound: {table: shop.bill, freshness: at}
                  empty-range: {table: shop.bill, range: {column: id}}
                  keys: {table: shop.bill, relationship: {columns: [a, b], references: shop.x, keys: [a]}}
                  share: {failing-rows: SELECT 1, error: {pct: ">1"}}
                  sample: {table: shop.bill, not-null: [id], sample: 1000, timeout: 1ms}
                  elsewhere: {table: shop.bill, compare: {cluster: chanuca}}
                  no-reason: {table: shop.bill, not-null: [id], suppress: {until: 2027-01-31}}
                  masked: {failing-rows: SELECT 1, masks: [email]}
                  unshown: {failing-rows: SELECT 1, key: [id], masks: [id, email]}
                """);

        assertThat(problems)
                .containsExactly(
                        "rules/chanuka.yaml:3  rules.Upper: the id is not accepted; " + Names.ACCEPTED,
                        "rules/chanuka.yaml:4  rules.nothing: it says nothing to look for; accepted: one of failing-rows,"
                                + " expression, unique, not-null, accepted-values, range, relationship, row-count,"
                                + " freshness, aggregate, compare",
                        "rules/chanuka.yaml:5  rules.two: it has unique and not-null, which exclude each other; keep one of them",
                        "rules/chanuka.yaml:6  rules.mistyped.rang: unknown key; did you mean range?",
                        "rules/chanuka.yaml:7  rules.no-table.table: is missing; accepted: schema.table",
                        "rules/chanuka.yaml:8  rules.no-schema.table: \"bill\" is not accepted; accepted: schema.table",
                        "rules/chanuka.yaml:9  rules.bad-bound.error.rows: \"10\" is not accepted; accepted: a bound such as"
                                + " \">10\", \">=0.5\", \"<1\" or \"!=0\"",
                        "rules/chanuka.yaml:10  rules.wrong-bound.error: has rows >0, which row-count does not measure;"
                                + " accepted: value",
                        "rules/chanuka.yaml:11  rules.no-bound.freshness: needs a bound; accepted: error: {age: 26h}",
                        "rules/chanuka.yaml:12  rules.empty-range.range: neither min nor max is given; accepted: one of them, or"
                                + " both",
                        "rules/chanuka.yaml:13  rules.keys.relationship.keys: has 1 columns, and columns has 2",
                        "rules/chanuka.yaml:14  rules.share.table: is missing, of whose rows pct is a part",
                        "rules/chanuka.yaml:15  rules.sample.sample: is 1000; accepted: 0 to 100",
                        "rules/chanuka.yaml:15  rules.sample.timeout: is shorter than 1s",
                        "rules/chanuka.yaml:16  rules.elsewhere.compare.cluster: unknown cluster \"chanuca\"; accepted:"
                                + " chanuka",
                        "rules/chanuka.yaml:17  rules.no-reason.suppress.reason: missing; accepted: text",
                        "rules/chanuka.yaml:18  rules.masked.masks: needs key, which says what of the rows is shown",
                        "rules/chanuka.yaml:19  rules.unshown.masks: has columns that key has not; of a statement only its key"
                                + " is shown");
    }

    @Test
    void a_file_needs_its_cluster_a_database_and_ids_of_its_own() {
        List<String> problems = ConfigurationDirectory.valid(root)
                .write(FILE, "database: shop\nrules:\n  one: {table: a.b, not-null: [id]}\n")
                .write(
                        "rules/more.yaml",
                        "cluster: chanuka\npassword: x\nrules:\n  one: {table: a.b, not-null: [id]}\n")
                .write("rules/chanuca.yaml", "database: shop\nrules: {}\n")
                .check()
                .problems()
                .stream()
                .map(Problem::toString)
                .toList();

        assertThat(problems)
                .containsExactly(
                        "rules/chanuca.yaml:1  cluster: unknown cluster \"chanuca\"; accepted: chanuka; the file's name is its"
                                + " cluster unless it says another",
                        "rules/more.yaml:2  password: needs its username",
                        "rules/more.yaml:4  rules.one: cluster chanuka has a rule of this id; first in rules/chanuka.yaml:3",
                        "rules/more.yaml:4  rules.one.database: missing; accepted: a database, here or for all rules of the"
                                + " file");
    }

    @Test
    void a_bound_holds_or_not() {
        BigDecimal ten = BigDecimal.TEN;

        assertThat(List.of(">9.99", ">=10", "<10.5", "<= 10.00", "=10", "!=9"))
                .allSatisfy(bound ->
                        assertThat(Bound.parse(bound).holds(ten)).as(bound).isTrue());
        assertThat(List.of(">10", ">=10.1", "<10", "<=9", "=1", "!=10.0"))
                .allSatisfy(bound ->
                        assertThat(Bound.parse(bound).holds(ten)).as(bound).isFalse());
        assertThat(Bound.parse(">=0.50")).hasToString(">=0.50");
        assertThatThrownBy(() -> Bound.parse("=>1"))
                .hasMessageStartingWith("\"=>1\" is not accepted; accepted: a bound");
    }
}
