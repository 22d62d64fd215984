package io.nightshift.infra.index.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.nightshift.infra.index.plan.GenericPlan.PassedOver;
import io.nightshift.infra.index.plan.GenericPlan.Planned;
import io.nightshift.infra.index.plan.GenericPlan.Reason;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.workload.Query;
import io.nightshift.infra.workload.StatementName;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Real servers plan, and execute nothing. */
class GenericPlansTest {

    private static final Map<Integer, TestPostgres> SERVERS = new LinkedHashMap<>();

    static List<Integer> versions() {
        return PostgresVersions.underTest();
    }

    private static TestPostgres server(int major) {
        return SERVERS.computeIfAbsent(major, first -> {
            TestPostgres server = TestPostgres.start(first);
            server.execute(
                    "postgres",
                    "CREATE SCHEMA app",
                    "CREATE ROLE app LOGIN PASSWORD 'secret'",
                    "GRANT ALL ON SCHEMA app TO app",
                    "ALTER ROLE app SET search_path = app, public",
                    "CREATE TABLE app.t (a integer, b date, c timestamptz, d text)",
                    "CREATE TABLE app.traces (what text)",
                    "CREATE SEQUENCE app.calls",
                    "CREATE FUNCTION app.really_writes() RETURNS void LANGUAGE sql AS"
                            + " $$INSERT INTO app.traces VALUES ('function')$$",
                    "CREATE FUNCTION app.writes() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS"
                            + " $$BEGIN PERFORM app.really_writes(); RETURN 1; END$$",
                    "CREATE FUNCTION app.counts() RETURNS bigint LANGUAGE sql VOLATILE AS $$SELECT nextval('app.calls')$$",
                    "CREATE TABLE app.parted (k integer, v integer) PARTITION BY RANGE (k)",
                    "CREATE TABLE app.parted_1 PARTITION OF app.parted FOR VALUES FROM (0) TO (10)",
                    "CREATE TABLE app.parted_2 PARTITION OF app.parted FOR VALUES FROM (10) TO (20)");
            return server;
        });
    }

    @AfterAll
    static void stop() {
        SERVERS.values().forEach(TestPostgres::close);
    }

    private static Query query(String text, long user) {
        return new Query(new StatementName(1, 1), user, text, false, 100, 100, 1);
    }

    private static GenericPlan plan(TestPostgres server, String text) throws SQLException {
        long user = server.number("SELECT oid FROM pg_roles WHERE rolname = 'app'");
        try (Connection session = server.connect("postgres")) {
            GenericPlan plan = new GenericPlans(session).plan(query(text, user));
            assertThat(session.getAutoCommit()).isTrue();
            try (ResultSet left = session.createStatement()
                    .executeQuery("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'nightshift%'")) {
                left.next();
                assertThat(left.getInt(1)).isZero();
            }
            return plan;
        }
    }

    private static String text(TestPostgres server, String sql) throws SQLException {
        GenericPlan plan = plan(server, sql);
        assertThat(plan).as(sql).isInstanceOf(Planned.class);
        return ((Planned) plan).root().text();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void queries_are_planned_whatever_their_constants_are(int major) throws SQLException {
        TestPostgres server = server(major);

        assertThat(text(server, "SELECT a FROM t WHERE a = $1 AND d = $2;"))
                .startsWith("Seq Scan on app.t  (cost=")
                .endsWith("Filter: ((t.a = $1) AND (t.d = $2))");
        assertThat(text(server, "SELECT a FROM t WHERE c > now() - interval $1"))
                .contains("t.c > (now() - $1)");
        assertThat(text(server, "SELECT a FROM t WHERE b >= date $1 AND c < timestamp $2 AND d = $3"))
                .contains("t.b >= $1");
        assertThat(text(server, "SELECT a FROM t WHERE b BETWEEN $1::date AND $2::date + $3"))
                .contains("t.b <= ($2 + $3)");
        assertThat(text(server, "SELECT k FROM parted WHERE k > $1 AND v = $2"))
                .contains("app.parted_1", "app.parted_2");
        assertThat(text(server, "SELECT d ? $1 FROM (SELECT d::jsonb FROM t) x"))
                .contains("Seq Scan");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_a_function_or_a_view_says_is_not_in_the_text_of_a_plan(int major) throws SQLException {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE FUNCTION app.private() RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
                        + " $$BEGIN RETURN 'it''s salary'; END$$",
                "CREATE VIEW app.narrow AS SELECT a AS \"a 17\", d FROM app.t WHERE a <> 4711 AND a * 1.5e20 > 0.25");

        String text =
                text(server, "SELECT * FROM narrow WHERE d = private() AND \"a 17\" <> $1 ORDER BY d || private()");

        assertThat(text)
                .doesNotContain("salary", "4711", "0.25", "1.5", "150000")
                .contains("t.a <> …", "t.a <> $1", "t.d = …::text", "Sort Key: ((t.d || …::text))");
        server.execute("postgres", "DROP VIEW app.narrow", "DROP FUNCTION app.private");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_would_write_is_planned_and_not_done(int major) throws SQLException {
        TestPostgres server = server(major);
        List<String> statements = List.of(
                "INSERT INTO t (a) VALUES ($1)",
                "UPDATE t SET a = a + $1 WHERE a = $2",
                "DELETE FROM t",
                "WITH gone AS (DELETE FROM t RETURNING a), more AS (INSERT INTO traces SELECT 'with' RETURNING what)"
                        + " SELECT a FROM gone",
                "SELECT counts() FROM t WHERE a = $1",
                "SELECT a FROM t WHERE a = nextval('app.calls')");
        server.execute("postgres", "TRUNCATE app.t, app.traces", "INSERT INTO app.t (a) VALUES (1)");

        for (String statement : statements) {
            text(server, statement);
        }

        assertThat(server.number("SELECT count(*) FROM app.t WHERE a = 1")).isEqualTo(1);
        assertThat(server.number("SELECT count(*) FROM app.traces")).isZero();
        assertThat(server.text("SELECT is_called FROM app.calls")).isEqualTo("f");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_cannot_be_planned_safely_is_passed_over(int major) throws SQLException {
        TestPostgres server = server(major);
        server.execute("postgres", "TRUNCATE app.t, app.traces");
        Map<String, Reason> texts = new LinkedHashMap<>();
        texts.put("SELECT a FROM t WHERE a = writes()", Reason.WRITING);
        texts.put("SELECT 1; INSERT INTO traces VALUES ('second')", Reason.NO_STATEMENT);
        texts.put("SELECT 1; COMMIT; INSERT INTO traces VALUES ('third')", Reason.NO_STATEMENT);
        texts.put("SELECT E'\\'; INSERT INTO traces VALUES ('fourth'); --'", Reason.NO_STATEMENT);
        texts.put("COPY t TO PROGRAM 'touch /tmp/nightshift-was-here'", Reason.NO_STATEMENT);
        texts.put("EXPLAIN ANALYZE INSERT INTO traces VALUES ('fifth')", Reason.NO_STATEMENT);
        texts.put("DO $$BEGIN INSERT INTO app.traces VALUES ('sixth'); END$$", Reason.NO_STATEMENT);
        texts.put("SELECT a FROM t WHERE d = 'torn", Reason.NO_STATEMENT);
        texts.put("SELECT a FROM nowhere WHERE a = $1", Reason.UNCLEAR);

        for (Map.Entry<String, Reason> text : texts.entrySet()) {
            GenericPlan plan = plan(server, text.getKey());
            assertThat(plan).as(text.getKey()).isInstanceOf(PassedOver.class);
            assertThat(((PassedOver) plan).reason()).as(text.getKey()).isEqualTo(text.getValue());
        }

        assertThat(server.number("SELECT count(*) FROM app.traces")).isZero();
        try (Connection session = server.connect("postgres")) {
            Query cut = new Query(new StatementName(1, 1), 10, "SELECT a FROM", true, 1, 1, 1);
            assertThat(new GenericPlans(session).plan(cut)).isEqualTo(new PassedOver(Reason.CUT, ""));
        }
    }

    /** Where backslashes quote, the server ends a string elsewhere than where they do not. */
    @ParameterizedTest
    @MethodSource("versions")
    void no_text_is_more_than_one_statement_wherever_its_strings_end(int major) throws SQLException {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE DATABASE backslashes",
                "ALTER DATABASE backslashes SET standard_conforming_strings = off");
        server.execute("backslashes", "CREATE TABLE hostage (a integer)");
        for (String settings : List.of("off", "on")) {
            for (String text : List.of(
                    "SELECT 'a\\''; COMMIT; DROP TABLE hostage; --'", "SELECT '\\'; COMMIT; DROP TABLE hostage; --'")) {
                try (Connection session = server.connect("backslashes")) {
                    session.createStatement().execute("SET standard_conforming_strings = " + settings);
                    new GenericPlans(session).plan(query(text, 10));
                }
                assertThatCode(() -> server.execute("backslashes", "SELECT FROM hostage"))
                        .as(settings + ": " + text)
                        .doesNotThrowAnyException();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void our_own_questions_meet_nothing_of_others(int major) throws SQLException {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE ROLE shadow",
                "ALTER ROLE shadow SET search_path = shadows, pg_catalog, app",
                "CREATE SCHEMA shadows",
                "CREATE VIEW shadows.pg_prepared_statements AS SELECT name, parameter_types, 1 / (random() * 0)::integer AS no"
                        + " FROM pg_catalog.pg_prepared_statements WHERE 1 / (random() * 0)::integer = 1",
                "CREATE FUNCTION shadows.cardinality(regtype[]) RETURNS integer LANGUAGE sql VOLATILE AS"
                        + " $$SELECT 1 / (random() * 0)::integer$$",
                "CREATE FUNCTION shadows.set_config(text, text, boolean) RETURNS text LANGUAGE sql VOLATILE AS"
                        + " $$SELECT (1 / (random() * 0)::integer)::text$$");
        long user = server.number("SELECT oid FROM pg_roles WHERE rolname = 'shadow'");
        try (Connection session = server.connect("postgres")) {
            var plans = new GenericPlans(session);
            assertThat(plans.plan(query("SELECT a FROM t WHERE a = $1", user))).isInstanceOf(Planned.class);
            assertThat(plans.plan(query("SELECT a FROM t WHERE d = $1", user))).isInstanceOf(Planned.class);
        }
        server.execute("postgres", "DROP SCHEMA shadows CASCADE", "DROP ROLE shadow");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_is_locked_or_denied_holds_nobody_up(int major) throws SQLException {
        TestPostgres server = server(major);
        try (Connection holder = server.connect("postgres")) {
            holder.setAutoCommit(false);
            holder.createStatement().execute("LOCK TABLE app.t IN ACCESS EXCLUSIVE MODE");
            assertThat(((PassedOver) plan(server, "SELECT a FROM t")).reason()).isEqualTo(Reason.LOCKED);
        }
        try (Connection app = DriverManager.getConnection(server.url("postgres"), "app", "secret")) {
            PassedOver denied =
                    (PassedOver) new GenericPlans(app).plan(query("SELECT rolpassword FROM pg_authid, app.t", 0));
            assertThat(denied.reason()).isEqualTo(Reason.DENIED);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void planning_counts_as_no_use_of_an_index(int major) throws SQLException {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE TABLE app.left_one AS SELECT generate_series(1, 5000) AS k",
                "CREATE TABLE app.right_one AS SELECT generate_series(1, 5000) AS k",
                "CREATE INDEX ON app.left_one (k)",
                "CREATE INDEX ON app.right_one (k)",
                "ANALYZE app.left_one, app.right_one");

        assertThat(text(server, "SELECT l.k FROM left_one l JOIN right_one r USING (k) WHERE l.k < $1"))
                .contains("left_one");

        assertThat(server.number("SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE schemaname = 'app'"))
                .isZero();
        server.execute("postgres", "DROP TABLE app.left_one, app.right_one");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void a_role_that_may_more_than_read_plans_only_where_nobody_else_logs_in(int major) throws SQLException {
        TestPostgres server = server(major);
        Map<String, String> roles = new LinkedHashMap<>();
        roles.put("SUPERUSER", "is a superuser");
        roles.put("REPLICATION", "has REPLICATION");
        roles.put("BYPASSRLS", "has BYPASSRLS");
        roles.put("CREATEROLE", "has CREATEROLE");
        roles.put("IN ROLE pg_read_all_data", "is a member of pg_read_all_data");
        roles.put("NOINHERIT IN ROLE pg_execute_server_program", "is a member of pg_execute_server_program");
        roles.put("IN ROLE app", "is a member of app");
        for (Map.Entry<String, String> role : roles.entrySet()) {
            assertThat(doubt(server, role.getKey(), "SELECT"))
                    .as(role.getKey())
                    .isEqualTo("role planner " + role.getValue() + ", and role app may log in to this database");
            assertThat(doubt(server, role.getKey(), "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"))
                    .isEmpty();
        }
        assertThat(doubt(server, "IN ROLE pg_monitor", "SELECT")).isEmpty();
        assertThat(doubt(server, "", "GRANT EXECUTE ON FUNCTION pg_switch_wal TO planner"))
                .startsWith("role planner was granted pg_switch_wal");
    }

    /** Of a role with these attributes; empty for none. */
    private static String doubt(TestPostgres server, String attributes, String also) throws SQLException {
        server.execute("postgres", "CREATE ROLE planner LOGIN PASSWORD 'secret' " + attributes, also);
        try {
            server.execute("postgres", "GRANT CONNECT ON DATABASE postgres TO planner");
            try (Connection planner = DriverManager.getConnection(server.url("postgres"), "planner", "secret")) {
                return PlanTrust.doubt(planner).orElse("");
            }
        } finally {
            server.execute(
                    "postgres",
                    "GRANT CONNECT ON DATABASE postgres TO PUBLIC",
                    "DROP OWNED BY planner",
                    "DROP ROLE planner");
        }
    }
}
