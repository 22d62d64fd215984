package io.nightshift.infra.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Capability.Lack;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ServerFactsTest {

    static List<Integer> majors() {
        return PostgresVersions.underTest();
    }

    private static Connection as(String role, TestPostgres server) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + server.port() + "/postgres", role, "secret");
    }

    private static Map<Capability, Lack> lacks(ServerFacts facts) {
        Map<Capability, Lack> lacks = new EnumMap<>(Capability.class);
        for (Capability capability : Capability.values()) {
            facts.lack(capability).ifPresent(lack -> lacks.put(capability, lack));
        }
        return lacks;
    }

    @ParameterizedTest
    @MethodSource("majors")
    void what_is_said_to_be_lacking_is_there_once_it_is_mended_word_for_word(int major) throws SQLException {
        try (TestPostgres server =
                TestPostgres.start(major, Map.of("shared_preload_libraries", "pg_stat_statements"))) {
            server.execute("postgres", "CREATE ROLE \"Night\" LOGIN PASSWORD 'secret'");

            Map<Capability, Lack> before;
            try (Connection session = as("Night", server)) {
                before = lacks(ServerFacts.of(session));
            }
            for (int round = 0; round < 3; round++) {
                try (Connection session = as("Night", server)) {
                    lacks(ServerFacts.of(session)).forEach((capability, lack) -> mend(server, lack));
                }
            }
            server.restart();
            ServerFacts after;
            try (Connection session = as("Night", server)) {
                after = ServerFacts.of(session);
            }

            assertThat(before)
                    .containsOnlyKeys(
                            Capability.WAL_SUMMARIES,
                            Capability.COMMIT_TIMESTAMPS,
                            Capability.AMCHECK,
                            Capability.PG_VISIBILITY,
                            Capability.PG_STAT_STATEMENTS,
                            Capability.REPLICATION,
                            Capability.MONITORING);
            assertThat(before.get(Capability.AMCHECK).fact())
                    .isEqualTo("extension amcheck is not installed in database postgres");
            assertThat(before.get(Capability.MONITORING))
                    .isEqualTo(new Lack("role \"Night\" is no member of pg_monitor", "GRANT pg_monitor TO \"Night\""));
            assertThat(lacks(after).keySet()).isEqualTo(major < 17 ? Set.of(Capability.WAL_SUMMARIES) : Set.of());
            assertThat(after.version().major()).isEqualTo(major);
            assertThat(after.extensions().get("amcheck").installed()).isNotEmpty();
            assertThat(after.extensions().get("pageinspect").installed()).isNull();
            assertThat(after.role().has("pg_read_all_stats")).isTrue();
        }
    }

    /** Does what the remedy says in SQL. */
    private static void mend(TestPostgres server, Lack lack) {
        String sql = lack.remedy().replace("in database postgres: ", "").replace("; then restart the server", "");
        if (sql.matches("(?s)(ALTER|GRANT|CREATE).*")) {
            server.execute("postgres", sql.split("; "));
        }
    }

    @Test
    void settings_are_what_sessions_of_the_role_find_and_not_what_this_one_has_set() throws SQLException {
        try (TestPostgres server = TestPostgres.start(18)) {
            server.execute(
                    "postgres",
                    "CREATE ROLE night LOGIN PASSWORD 'secret'",
                    "ALTER ROLE night SET work_mem = '7MB'",
                    "GRANT pg_read_all_settings TO night");
            try (Connection session = as("night", server);
                    Statement statement = session.createStatement()) {
                statement.execute("SET statement_timeout = '5s'; SET work_mem = '9MB'");

                ServerFacts facts = ServerFacts.of(session);

                assertThat(facts.number("statement_timeout")).isZero();
                assertThat(facts.number("work_mem")).isEqualTo(7 << 10);
                assertThat(facts.isOn("data_checksums")).isTrue();
                assertThat(facts.setting("no_such_setting")).isEmpty();
                assertThat(facts.inRecovery()).isFalse();
                assertThat(facts.database()).isEqualTo("postgres");
            }
        }
    }
}
