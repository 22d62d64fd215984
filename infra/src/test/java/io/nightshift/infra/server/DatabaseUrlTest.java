package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import org.junit.jupiter.api.Test;

class DatabaseUrlTest {

    @Test
    void gives_each_caller_an_empty_database_of_its_own() throws Exception {
        var one = DatabaseUrl.fresh();
        var other = DatabaseUrl.fresh();

        try (Connection connection = one.connect()) {
            connection.createStatement().execute("CREATE TABLE mine (id int)");
        }

        try (Connection connection = other.connect();
                ResultSet row = connection
                        .createStatement()
                        .executeQuery("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'")) {
            row.next();
            assertThat(row.getInt(1)).isZero();
        }
        assertThat(one.url()).isNotEqualTo(other.url());
    }
}
