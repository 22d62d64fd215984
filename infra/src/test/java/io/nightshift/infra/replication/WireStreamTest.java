package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.server.TestPostgres;
import java.sql.DriverManager;
import org.junit.jupiter.api.Test;
import org.postgresql.jdbc.PgConnection;

class WireStreamTest {

    /** Fails when pgjdbc moves what {@link WireStream} reaches for: look there before you change the version. */
    @Test
    void finds_the_stream_of_the_pgjdbc_on_the_class_path() throws Exception {
        try (var postgres = TestPostgres.start(18);
                var connection = DriverManager.getConnection(
                        postgres.url("postgres"), Connections.properties(postgres.username(), postgres.password()))) {
            var wire = WireStream.of(connection.unwrap(PgConnection.class));

            wire.sendQuery("SELECT 'spoken over the socket of pgjdbc'");
            var answer = new Answer(wire.messages(), notice -> {});
            var text = answer.resultSet().single().required(0);
            answer.expect(Answer.READY_FOR_QUERY);

            assertThat(text).isEqualTo("spoken over the socket of pgjdbc");
        }
    }
}
