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
}
