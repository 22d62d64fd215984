package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.Installation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code nightshift schema} on a real server with two databases. */
class SchemaCommandTest {

    private static TestPostgres server;
    private static Installation installation;

    private record Answer(int exitStatus, String out, String err) {}

    @BeforeAll
    static void start() {
        server = TestPostgres.start(18);
        installation = Installation.withOwnControlDatabase()
                .write("clusters/prod.yaml", """
                nodes: ["127.0.0.1:%d"]
                username: %s
                password: "%s"
                storages: {local: required}
                """.formatted(server.port(), server.username(), server.password()));
        server.execute("postgres", "CREATE DATABASE shop", "CREATE DATABASE other");
        for (String database : List.of("shop", "other")) {
            server.execute(database, "CREATE TABLE bills (id int PRIMARY KEY, total int NOT NULL)");
        }
    }

    @AfterAll
    static void stop() {
        installation.close();
        server.close();
    }

    private static Answer nightshift(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString()));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = CommandLineOfNightshift.run(
                all.toArray(String[]::new),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                installation.environment());
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void what_differs_from_what_was_accepted_is_shown_with_statements_that_mend_it() throws SQLException {
        Answer nothing = nightshift("schema", "diff", "prod", "--database", "shop");
        Answer accepted = nightshift("schema", "accept", "prod", "--database", "shop");
        server.execute("shop", "ALTER TABLE bills ALTER total TYPE bigint, ADD extra text", "DROP TABLE IF EXISTS x");
        Answer differs = nightshift("schema", "diff", "prod", "--database", "shop");
        JsonNode json = JsonMapper.shared()
                .readTree(nightshift("schema", "diff", "prod", "--database", "shop", "--output", "json")
                        .out());
        Answer other = nightshift("schema", "diff", "prod", "--database", "shop", "--like", "prod/other");
        Answer sql = nightshift("schema", "diff", "prod", "--database", "shop", "--sql");
        try (Connection session = server.connect("shop");
                Statement statement = session.createStatement()) {
            statement.execute(sql.out().replace("\\set ON_ERROR_STOP on\n", ""));
        }
        Answer mended = nightshift("schema", "diff", "prod", "--database", "shop");
        Answer removed = nightshift("schema", "accept", "prod", "--database", "shop", "--remove");

        assertThat(nothing.exitStatus()).as(nothing.toString()).isEqualTo(6);
        assertThat(nothing.out())
                .isEqualTo(
                        "database shop: no schema of it is accepted (nightshift schema accept keeps the present one)\n");
        assertThat(accepted.exitStatus()).as(accepted.toString()).isZero();
        assertThat(accepted.out()).matches("database shop: accepted with \\d+ objects, fingerprint [0-9a-f]{12}\n");
        assertThat(differs.exitStatus()).isEqualTo(3);
        assertThat(differs.out().replaceFirst(".*", "")).isEqualTo("""

                  unexpected column extra of table public.bills
                    is        text
                    > -- loses its values
                    > ALTER TABLE public.bills DROP COLUMN extra;
                  changed column total of table public.bills
                    is        bigint
                    should be integer
                    > ALTER TABLE public.bills ALTER COLUMN total TYPE integer;
                """);
        assertThat(json.path("databases"))
                .extracting(database -> database.path("database").asString()
                        + " " + database.path("differences").size() + " "
                        + database.path("against").isNull())
                .containsExactly("shop 2 false");
        assertThat(other.exitStatus()).isEqualTo(3);
        assertThat(other.out()).startsWith("database shop, against database prod/other: 2 differences\n");
        assertThat(mended.exitStatus()).as(mended.toString()).isZero();
        assertThat(mended.out()).endsWith(": the same\n");
        assertThat(removed.out()).isEqualTo("database shop: nothing is expected of it any more\n");
    }

    @Test
    void what_cannot_be_mended_is_counted() {
        String drop = "DROP DOMAIN IF EXISTS amount CASCADE";
        server.execute("shop", drop, "CREATE DOMAIN amount AS int", "CREATE TABLE sums (a amount)");
        nightshift("schema", "accept", "prod", "--database", "shop");
        server.execute("shop", drop, "CREATE DOMAIN amount AS bigint", "ALTER TABLE sums ADD a amount, ADD b int");
        Answer text;
        Answer json;
        Answer sql;
        try {
            text = nightshift("schema", "diff", "prod", "--database", "shop");
            json = nightshift("schema", "diff", "prod", "--database", "shop", "--output", "json");
            sql = nightshift("schema", "diff", "prod", "--database", "shop", "--sql");
        } finally {
            server.execute("shop", "DROP TABLE sums", "DROP DOMAIN amount");
            nightshift("schema", "accept", "prod", "--remove");
        }

        assertThat(text.out()).contains(": 2 differences, 1 to be mended by hand\n");
        assertThat(JsonMapper.shared()
                        .readTree(json.out())
                        .path("databases")
                        .path(0)
                        .path("byHand")
                        .asInt())
                .isEqualTo(1);
        assertThat(sql.exitStatus()).isEqualTo(3);
        assertThat(sql.out())
                .contains(
                        "-- PostgreSQL cannot change it where it stands, and anew it would lose rows: domain public.amount")
                .endsWith("COMMIT;\n\\warn 'Not all is mended: see 1 of the comments in this script.'\n");
    }

    @Test
    void statements_of_several_databases_are_each_for_their_own() {
        server.execute("postgres", "CREATE DATABASE \"it's \"\"a\\b\"");
        Answer accepted = nightshift("schema", "accept", "prod");
        server.execute("other", "CREATE SCHEMA extra");
        server.execute("it's \"a\\b", "CREATE SCHEMA extra");
        Answer sql = nightshift("schema", "diff", "prod", "--sql");
        server.execute("other", "DROP SCHEMA extra");
        server.execute("postgres", "DROP DATABASE \"it's \"\"a\\b\"");
        Answer removed = nightshift("schema", "accept", "prod", "--remove");

        assertThat(accepted.exitStatus()).as(accepted.toString()).isZero();
        assertThat(sql.exitStatus()).as(sql.toString()).isEqualTo(3);
        assertThat(sql.out().lines().filter(line -> line.matches("\\\\connect.*|DROP.*|COMMIT.*")))
                .containsExactly(
                        "\\connect -reuse-previous=on \"dbname='it\\'s \"\"a\\\\b'\"",
                        "DROP SCHEMA extra;",
                        "COMMIT;",
                        "\\connect -reuse-previous=on \"dbname='other'\"",
                        "DROP SCHEMA extra;",
                        "COMMIT;");
        assertThat(removed.exitStatus()).as(removed.toString()).isZero();
    }

    @Test
    void partitions_that_come_are_information_and_never_dropped() {
        server.execute(
                "shop",
                "CREATE TABLE sales (day date NOT NULL, total int DEFAULT 1, note text DEFAULT 'a b') PARTITION BY RANGE (day)",
                "CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')");
        nightshift("schema", "accept", "prod", "--database", "shop");
        Answer come;
        Answer gone;
        Answer sql;
        try {
            server.execute(
                    "shop",
                    "CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
                    "CREATE INDEX by_total ON sales_2 (total)");
            come = nightshift("schema", "diff", "prod", "--database", "shop");
            server.execute(
                    "shop",
                    "DROP TABLE sales_1",
                    "ALTER TABLE sales ALTER total SET DEFAULT 2, ALTER note SET DEFAULT E'a\nb'");
            gone = nightshift("schema", "diff", "prod", "--database", "shop");
            sql = nightshift("schema", "diff", "prod", "--database", "shop", "--sql");
        } finally {
            server.execute("shop", "DROP TABLE sales");
            nightshift("schema", "accept", "prod", "--remove");
        }

        assertThat(come.exitStatus()).as(come.toString()).isZero();
        assertThat(come.out()).contains("  unexpected table public.sales_2 (with ", ", for information\n");
        assertThat(gone.exitStatus()).isEqualTo(3);
        assertThat(sql.out())
                .contains("CREATE TABLE public.sales_1", "SET DEFAULT 1")
                .doesNotContain("sales_2");
        assertThat(gone.out())
                .as("white space")
                .contains("    is        'a\n              b'::text\n    should be 'a b'::text\n");
    }

    @Test
    void a_database_that_cannot_be_read_keeps_nobody_from_the_others() {
        server.execute("postgres", "ALTER DATABASE other SET session_preload_libraries = 'missing'");
        Answer accepted;
        Answer json;
        try {
            accepted = nightshift("schema", "accept", "prod");
            json = nightshift("schema", "diff", "prod", "--output", "json");
        } finally {
            server.execute("postgres", "ALTER DATABASE other RESET session_preload_libraries");
        }
        Answer removed = nightshift("schema", "accept", "prod", "--remove");
        Answer none = nightshift("schema", "accept", "prod", "--remove");

        assertThat(accepted.exitStatus()).as(accepted.toString()).isEqualTo(6);
        assertThat(accepted.out()).containsSubsequence("database postgres: accepted", "database shop: accepted");
        assertThat(accepted.err())
                .startsWith("nightshift: schema of database other not accepted: ")
                .contains("could not access file \"missing\"");
        assertThat(json.exitStatus()).isEqualTo(6);
        assertThat(JsonMapper.shared().readTree(json.out()).path("databases"))
                .extracting(database -> database.path("database").asString() + " "
                        + database.path("notEvaluated").isNull())
                .containsExactly("other false", "postgres true", "shop true");
        assertThat(removed.out()).isEqualTo("""
                        database postgres: nothing is expected of it any more
                        database shop: nothing is expected of it any more
                        """);
        assertThat(none.out()).isEqualTo("no schema of cluster prod is accepted\n");
    }

    @Test
    void a_database_that_lets_nobody_in_keeps_nobody_from_the_others() {
        server.execute("postgres", "CREATE DATABASE closed");
        server.execute(
                "closed",
                "CREATE FUNCTION close() RETURNS event_trigger LANGUAGE plpgsql AS"
                        + " 'BEGIN RAISE ''closed for today'' USING ERRCODE = ''57P03''; END'",
                "CREATE EVENT TRIGGER close ON login EXECUTE FUNCTION close()");
        Answer accepted;
        Answer only;
        try {
            accepted = nightshift("schema", "accept", "prod");
            only = nightshift("schema", "diff", "prod", "--database", "closed");
        } finally {
            server.execute("postgres", "DROP DATABASE closed");
            nightshift("schema", "accept", "prod", "--remove");
        }

        assertThat(accepted.exitStatus()).as(accepted.toString()).isEqualTo(6);
        assertThat(accepted.out()).containsSubsequence("database other: accepted", "database shop: accepted");
        assertThat(accepted.err())
                .startsWith("nightshift: schema of database closed not accepted: ")
                .contains("closed for today", "database postgres lets us in");
        assertThat(only.exitStatus()).as(only.toString()).isEqualTo(6);
        assertThat(only.err()).startsWith("nightshift: schema of database closed not compared: ");
    }

    @Test
    void wrong_usage_is_told() {
        Answer bare = nightshift("schema");
        Answer cluster = nightshift("schema", "diff", "none");
        Answer database = nightshift("schema", "accept", "prod", "--database", "none");
        Answer like = nightshift("schema", "diff", "prod", "--like", "prod/other");

        assertThat(bare.exitStatus()).isEqualTo(2);
        assertThat(cluster.exitStatus()).isEqualTo(2);
        assertThat(cluster.err()).contains("cluster none is not configured");
        assertThat(database.exitStatus()).isEqualTo(2);
        assertThat(database.err()).contains("database \"none\" does not exist");
        assertThat(like.exitStatus()).isEqualTo(2);
        assertThat(like.err()).contains("--like needs --database");
        Answer both =
                nightshift("schema", "diff", "prod", "--database", "shop", "--like", "prod/other", "--since", "7");
        assertThat(both.exitStatus()).isEqualTo(2);
        Answer since = nightshift("schema", "diff", "prod", "--database", "shop", "--since", "99");
        assertThat(since.exitStatus()).as(since.toString()).isEqualTo(2);
        assertThat(since.err()).isEqualTo("""
                        nightshift: what run 99 has seen of database shop of cluster prod is not kept
                        HINT: only the last two runs of a job keep what they have seen
                        """);
        Answer migrations = nightshift("schema", "diff", "prod", "--database", "shop", "--migrations", "/nonexistent");
        assertThat(migrations.exitStatus()).isEqualTo(2);
        assertThat(migrations.err()).contains("database shop has no history of migrations");
    }
}
