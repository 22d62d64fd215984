package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TestPostgresTest {

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void gives_a_fresh_cluster_of_the_version_and_removes_it(int major) throws Exception {
        var postgres = TestPostgres.start(major);

        try (postgres;
                Connection connection = postgres.connect("postgres");
                ResultSet row = connection.createStatement().executeQuery("SHOW server_version_num")) {
            row.next();
            assertThat(row.getInt(1) / 10_000).isEqualTo(major);
        }

        assertThat(Files.exists(postgres.dataDirectory())).isFalse();
        assertThat(postgres.server().isRunning()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void keeps_a_session_as_new_for_whoever_comes_next(int major) {
        try (var postgres = TestPostgres.start(major)) {
            String process = postgres.text("SELECT pg_backend_pid()");
            postgres.execute(
                    "postgres",
                    "CREATE TABLE counted (i int)",
                    "INSERT INTO counted VALUES (1)",
                    "SET work_mem = '9MB'",
                    "CREATE TEMPORARY TABLE passing (i int)");

            assertThat(postgres.text("SELECT pg_backend_pid()")).isEqualTo(process);
            assertThat(postgres.text("SHOW work_mem")).isEqualTo("4MB");
            assertThat(postgres.text("SELECT to_regclass('passing')")).isNull();
            assertThat(postgres.number("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'counted'"))
                    .isOne();
            postgres.execute("postgres", "BEGIN", "INSERT INTO counted VALUES (2)");
            assertThat(postgres.number("SELECT count(*) FROM counted")).isOne();
            assertThat(postgres.text("SELECT pg_backend_pid()")).isNotEqualTo(process);
            postgres.kill();
            postgres.restart();
            assertThat(postgres.number("SELECT count(*) FROM counted")).isOne();
        }
    }
}
