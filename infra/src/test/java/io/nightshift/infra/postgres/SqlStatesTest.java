package io.nightshift.infra.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.TestPostgres;
import java.io.EOFException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlStatesTest {

    @ParameterizedTest
    @CsvSource({
        "08006, POSTGRES_UNAVAILABLE",
        "08004, CONFIGURATION",
        "25006, POSTGRES_UNAVAILABLE",
        "28P01, CONFIGURATION",
        "28000, CONFIGURATION",
        "3D000, CONFIGURATION",
        "40P01, POSTGRES_UNAVAILABLE",
        "42501, CONFIGURATION",
        "42601, BUG",
        "42704, CONFIGURATION",
        "53100, RESOURCES_EXHAUSTED",
        "53300, RESOURCES_EXHAUSTED",
        "55006, REFUSED",
        "55P03, REFUSED",
        "57014, CANCELLED",
        "57P01, POSTGRES_UNAVAILABLE",
        "57P03, POSTGRES_UNAVAILABLE",
        "58P01, DATA_DAMAGED",
        "XX001, DATA_DAMAGED",
        "XX000, BUG",
        "99999, BUG",
        "5, BUG"
    })
    void says_who_must_act(String sqlState, FailureKind kind) {
        assertThat(SqlStates.kind(sqlState)).isEqualTo(kind);
    }

    @Test
    void keeps_what_the_server_said_about_a_real_error() throws Exception {
        try (var postgres = TestPostgres.start(PostgresVersion.NEWEST_SUPPORTED_MAJOR);
                var connection = postgres.connect("postgres");
                var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE numbers (i int CHECK (i > 0))");
            SQLException refused = null;
            try {
                statement.execute("INSERT INTO numbers VALUES (-5)");
            } catch (SQLException e) {
                refused = e;
            }

            var failure = SqlStates.failure("insert into numbers", refused);

            assertThat(failure)
                    .hasMessage("insert into numbers: new row for relation \"numbers\" violates check constraint"
                            + " \"numbers_i_check\" (Failing row contains (-5).)")
                    .hasCause(refused);
            assertThat(failure.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        }
    }

    @Test
    void tells_a_certificate_that_is_not_trusted_from_a_handshake_that_was_cut() {
        var untrusted = new SQLException("SSL error: no path", "08006", new SSLHandshakeException("no path"));
        var cutHandshake = new SSLHandshakeException("terminated");
        cutHandshake.initCause(new SocketException("reset"));
        var cut = new SQLException("SSL error: terminated", "08006", cutHandshake);

        assertThat(SqlStates.failure("connect", untrusted).kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(SqlStates.failure("connect", cut).kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
    }

    @Test
    void tells_a_login_that_was_cut_from_one_that_was_refused() {
        var cut = new SQLException("Invalid SCRAM client initialization", "08004", new EOFException());
        var refused = new SQLException("no password was given", "08004");

        assertThat(SqlStates.failure("connect", cut))
                .hasMessage("connect: connection lost: Invalid SCRAM client initialization")
                .extracting(NightshiftException::kind)
                .isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(SqlStates.failure("connect", refused).kind()).isEqualTo(FailureKind.CONFIGURATION);
    }

    @Test
    void tells_a_server_that_is_silent_from_one_that_was_not_reached() {
        var silent = new SQLException("An I/O error occurred", "08006", new SocketTimeoutException("Read timed out"));
        var unreached = new SQLException("The connection attempt failed.", "08001", new SocketTimeoutException());

        assertThat(SqlStates.failure("check", silent)).hasMessage("check: the server was silent for too long");
        assertThat(SqlStates.failure("check", silent).kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(SqlStates.failure("check", unreached)).hasMessage("check: The connection attempt failed.");
    }

    @Test
    void prefers_the_hint_we_know_to_the_hint_of_the_server() {
        var full = new ServerNotice("FATAL", "53300", "sorry, too many clients already", null, "server's own hint");
        var other = new ServerNotice("ERROR", "22023", "wrong", null, "server's own hint");

        assertThat(SqlStates.failure("connect", full, null).hint())
                .isEqualTo("raise max_connections, or let fewer sessions run at night");
        assertThat(SqlStates.failure("connect", other, null).hint()).isEqualTo("server's own hint");
    }
}
