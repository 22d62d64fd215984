package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MaskedSettingsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host=db0 password=hunter2 user=x",
                "host=db0 password = hunter2 user=x",
                "password='a hunter2' user=x",
                "password='it\\'s hunter2' user=x",
                "password=a\\ hunter2 user=x",
                "sslpassword=hunter2 user=x",
                "postgresql://me:hunter2@db0/postgres",
            })
    void a_connection_keeps_its_password_to_itself(String conninfo) {
        String masked = MaskedSettings.masked("primary_conninfo", conninfo);

        assertThat(masked).doesNotContain("hunter2").contains("********");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssl_passphrase_command", "app.api_token", "app.secret"})
    void a_setting_that_is_a_secret_is_masked_whole(String name) {
        assertThat(MaskedSettings.masked(name, "echo hunter2")).isEqualTo("********");
    }

    @Test
    void what_is_no_secret_is_kept() {
        assertThat(MaskedSettings.masked("work_mem", "7MB")).isEqualTo("7MB");
        assertThat(MaskedSettings.masked("password_encryption", "scram-sha-256"))
                .isEqualTo("scram-sha-256");
        assertThat(MaskedSettings.masked("archive_command", "cp %p /archive/%f"))
                .isEqualTo("cp %p /archive/%f");
    }

    @Test
    void a_line_of_pg_hba_reads_as_the_server_reads_it() {
        String line = HbaLine.of(
                "host",
                new String[] {"all", "my db", "/^db\\d$"},
                new String[] {"+staff", "o\"brien"},
                "10.0.0.0",
                "255.0.0.0",
                "ldap",
                new String[] {"ldapserver=ldap.internal", "ldapbinddn=cn=night shift", "ldapbindpasswd=a hunter2"});

        assertThat(line)
                .isEqualTo("host all,\"my db\",\"/^db\\d$\" +staff,\"o\"\"brien\" 10.0.0.0 255.0.0.0 ldap"
                        + " ldapserver=ldap.internal \"ldapbinddn=cn=night shift\" ldapbindpasswd=********");
    }

    @Test
    void a_local_line_has_no_address() {
        assertThat(HbaLine.of("local", new String[] {"all"}, new String[] {"all"}, null, null, "peer", new String[0]))
                .isEqualTo("local all all peer");
    }
}
