package io.nightshift.infra.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class HbaEntryTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "no pg_hba.conf entry for replication connection from host \"10.0.0.5\", user \"night shift\", no encryption"
                        + "| host replication \"night shift\" 10.0.0.5/32 scram-sha-256",
                "no pg_hba.conf entry for host \"fd00::5\", user \"night\", database \"all\", SSL encryption"
                        + "| hostssl \"all\" \"night\" fd00::5/128 scram-sha-256",
                "kein pg_hba.conf-Eintrag für Replikationsverbindung von Host »10.0.0.5«, Benutzer »night«, keine Verschlüsselung"
                        + "| host replication \"night\" 10.0.0.5/32 scram-sha-256",
            })
    void is_made_of_what_the_server_quotes(String message, String line) {
        assertThat(HbaEntry.missing(refusal("28000", message))).contains(line);
    }

    @Test
    void is_not_what_a_role_lacks_that_may_not_log_in() {
        assertThat(HbaEntry.hint(refusal("28000", "role \"night\" is not permitted to log in")))
                .isEmpty();
        assertThat(HbaEntry.hint(refusal("28P01", "password authentication failed for user \"night\"")))
                .isEmpty();
    }

    private static ServerNotice refusal(String sqlState, String message) {
        return new ServerNotice("FATAL", sqlState, message, null, null);
    }
}
