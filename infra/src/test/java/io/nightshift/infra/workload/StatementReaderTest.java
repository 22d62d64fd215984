package io.nightshift.infra.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What real servers count. */
class StatementReaderTest {

    private static final Instant NOW = Instant.parse("2026-11-01T01:00:00Z");

    static List<Integer> versions() {
        return PostgresVersions.underTest();
    }

    private static StatementReader.Reading read(Connection session) throws SQLException {
        return StatementReader.read(session, "db1:5432", NOW).orElseThrow();
    }

    private static List<String> texts(StatementReader.Reading reading) {
        return reading.texts().values().stream()
                .map(StatementText::text)
                .sorted()
                .toList();
    }

    private static Connection as(String role, TestPostgres server) throws SQLException {
        return DriverManager.getConnection(server.url("postgres"), role, "secret");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void queries_of_every_database_are_counted_and_nothing_else(int major) throws SQLException {
        try (TestPostgres server = TestPostgres.start(
                major,
                Map.of("shared_preload_libraries", "pg_stat_statements", "pg_stat_statements.track_utility", "on"))) {
            server.execute(
                    "postgres",
                    "CREATE SCHEMA \"Odd one\"",
                    "CREATE EXTENSION pg_stat_statements SCHEMA \"Odd one\"",
                    "CREATE DATABASE shop",
                    "CREATE ROLE app LOGIN PASSWORD 'secret'",
                    "CREATE ROLE watcher LOGIN PASSWORD 'secret' IN ROLE pg_monitor",
                    "CREATE ROLE stranger LOGIN PASSWORD 'secret'",
                    "GRANT USAGE ON SCHEMA \"Odd one\" TO PUBLIC");
            server.execute("shop", "CREATE TABLE goods (id integer)", "SELECT id FROM goods WHERE id = 7");
            try (Connection session = as("watcher", server)) {
                session.createStatement().execute("SELECT 4711 + 1");
                assertThat(texts(read(session))).containsExactly("SELECT id FROM goods WHERE id = $1");

                StatementSnapshot before = read(session).snapshot();
                server.execute("shop", "SELECT id FROM goods WHERE id = 8", "SELECT count(*) FROM goods");
                StatementSnapshot after = new StatementSnapshot(
                        before.node(),
                        before.series(),
                        NOW.plusSeconds(86_400),
                        before.evicted(),
                        true,
                        read(session).snapshot().counts());
                assertThat(new StatementHistory(List.of(before, after))
                                .nights()
                                .get(0)
                                .counts())
                        .extracting(StatementCount::calls)
                        .containsExactlyInAnyOrder(1L, 1L);

                server.execute("postgres", "SELECT \"Odd one\".pg_stat_statements_reset()");
                assertThat(read(session).snapshot().continues(after)).isFalse();
            }
            server.execute("shop", "SELECT max(id) FROM goods");
            try (Connection session = as("stranger", server)) {
                assertThat(read(session).texts()).isEmpty();
                assertThat(read(session).hidden()).isPositive();
                assertThat(read(session).snapshot().whole()).isFalse();
            }
            try (Connection session = server.connect("shop")) {
                assertThat(StatementReader.read(session, "db1:5432", NOW)).isEmpty();
            }
            try (Connection session = server.connect("postgres")) {
                assertThat(texts(read(session))).contains("SELECT max(id) FROM goods");
            }
        }
    }

    @Test
    void a_server_that_has_not_loaded_it_says_so() throws SQLException {
        try (TestPostgres server =
                TestPostgres.start(PostgresVersions.newestOrAll().get(0))) {
            server.execute("postgres", "CREATE EXTENSION pg_stat_statements");
            try (Connection session = server.connect("postgres")) {
                assertThatThrownBy(() -> read(session)).hasMessageContaining("shared_preload_libraries");
            }
        }
    }
}
