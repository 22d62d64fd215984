package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.Installation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code nightshift rules} on a real server. */
class RulesCommandTest {

    private static TestPostgres server;
    private static Installation installation;

    private record Answer(int exitStatus, String out, String err) {}

    @BeforeAll
    static void start() {
        server = TestPostgres.start(18, Map.of("autovacuum", "off"));
        server.execute("postgres", "CREATE DATABASE shop");
        server.execute("postgres", "CREATE ROLE reader LOGIN PASSWORD 'reads only' IN ROLE pg_read_all_data");
        server.execute(
                "shop",
                "CREATE TABLE bill (id int PRIMARY KEY, amount int)",
                "INSERT INTO bill SELECT i, i FROM generate_series(1, 100) i",
                "ANALYZE bill");
        installation = Installation.embedded()
                .write("clusters/prod.yaml", """
                        nodes: ["127.0.0.1:%d"]
                        username: %s
                        password: "%s"
                        storages: {local: required}
                        """.formatted(server.port(), server.username(), server.password()))
                .write("rules/prod.yaml", """
                        database: shop
                        username: reader
                        password: reads only
                        rules:
                          sound: {table: public.bill, range: {column: amount, min: 0}}
                          mistyped: {table: public.bill, range: {column: amont, min: 0}}
                          written: {failing-rows: SELECT FROM public.bills}
                          two: {failing-rows: SELECT 1; SELECT 2}
                          elsewhere: {table: public.bill, compare: {table: public.copy}}
                          same: {table: public.bill, filter: amount > 0;, compare: {table: public.bill}}
                          filtered: {table: public.bill, filter: amont > 0, compare: {table: public.bill}}
                        """);
    }

    @AfterAll
    static void stop() {
        installation.close();
        server.close();
    }

    private static Answer nightshift(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] all = Stream.concat(
                        Stream.of(arguments),
                        Stream.of(
                                "--home",
                                installation.home().toString(),
                                "--config",
                                installation.configuration().toString()))
                .toArray(String[]::new);
        int status = CommandLineOfNightshift.run(
                all, new PrintWriter(out, true), new PrintWriter(err, true), installation.environment());
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void holds_every_rule_against_the_live_schema_and_lists_every_problem() {
        Answer text = nightshift("rules", "check", "prod");
        JsonNode json = JsonMapper.shared()
                .readTree(
                        nightshift("rules", "check", "prod", "--output", "json").out());

        assertThat(text.exitStatus()).as(text.toString()).isEqualTo(2);
        assertThat(text.out()).isEqualTo("""
                        rules/prod.yaml  mistyped: column amont of table public.bill does not exist; did you mean amount?
                        rules/prod.yaml  written: relation "public.bills" does not exist
                        rules/prod.yaml  two: it is not one statement but 2
                        rules/prod.yaml  elsewhere: table public.copy does not exist in database shop
                        rules/prod.yaml  filtered: column "amont" does not exist (shop.public.bill on primary 127.0.0.1:%d)
                        2 of 7 rules of cluster prod can be asked
                        """.formatted(server.port()));
        assertThat(json.path("formatVersion").asInt()).isEqualTo(1);
        assertThat(json.path("rules")
                        .valueStream()
                        .map(rule -> rule.path("rule").asString()))
                .containsExactly("sound", "mistyped", "written", "two", "elsewhere", "same", "filtered");
        assertThat(json.path("rules").path(0).path("problems").isEmpty()).isTrue();
    }

    @Test
    void proposes_a_first_file() {
        Answer proposed = nightshift("rules", "propose", "prod");

        assertThat(proposed.exitStatus()).as(proposed.toString()).isZero();
        assertThat(proposed.out())
                .contains("cluster: prod\ndatabase: shop\n", "The cluster's own role has REPLICATION: ")
                .endsWith("""
                        rules:
                          # public.bill.amount is never negative
                          bill-amount-range:
                            table: public.bill
                            range: {column: amount, min: 0}
                        """);
    }

    @Test
    void shows_the_rules_without_the_password() {
        Answer shown = nightshift("config", "show");

        assertThat(shown.out())
                .contains("rules/prod  (rules/prod.yaml)\n", "  username: reader\n", "table: public.bill")
                .doesNotContain("reads only");
    }

    @Test
    void says_what_is_not_accepted() {
        assertThat(nightshift("rules").err()).startsWith("nightshift: rules needs a command\n");
        assertThat(nightshift("rules", "check", "prd").err())
                .isEqualTo("nightshift: cluster prd is not configured\nHINT: clusters: prod, stage\n");
        assertThat(nightshift("rules", "propose", "prod", "--database", "none").err())
                .contains("database \"none\" does not exist");
    }
}
