package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {

    private static final int NEWEST = 18;

    @TempDir
    private static Path directory;

    private static TestPostgres postgres;

    @BeforeAll
    static void startWithCertificate() throws Exception {
        postgres = TestPostgres.prepare(NEWEST, Map.of("ssl", "on"));
        var data = postgres.dataDirectory();
        var trusted = SelfSignedCertificate.in(directory, "trusted");
        Files.writeString(data.resolve("server.crt"), trusted.certificate());
        Files.writeString(data.resolve("server.key"), trusted.key());
        Files.writeString(directory.resolve("root.crt"), trusted.certificate());
        Files.writeString(
                directory.resolve("other.crt"),
                SelfSignedCertificate.in(directory, "other").certificate());
        Files.setPosixFilePermissions(data.resolve("server.key"), PosixFilePermissions.fromString("rw-------"));
        for (var file : new String[] {"server.crt", "server.key"}) {
            ServerUser.of(data).own(data.resolve(file));
        }
        postgres.restart();
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @Test
    void takes_a_backup_over_a_verified_connection() throws Exception {
        try (var connection = open("root.crt", "tls")) {
            var receiver = new NullReceiver();

            connection.baseBackup(options().build(), receiver);

            assertThat(receiver.bytes).isGreaterThan(20_000_000);
            assertThat(
                            postgres.text(
                                    "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'nightshift tls'"))
                    .isEqualTo("t");
        }
    }

    @Test
    void a_cancelled_backup_ends_on_both_sides() {
        try (var connection = open("root.crt", "tls cancelled")) {
            var failure = catchThrowableOfType(
                    NightshiftException.class,
                    () -> connection.baseBackup(options().maxRate(1L << 20).build(), new NullReceiver() {
                        @Override
                        public void archive(String name, String location) {
                            connection.cancel("stopped by a test");
                        }
                    }));

            assertThat(failure.kind()).isEqualTo(FailureKind.CANCELLED);
            await().until(() -> Connections.walsenders(postgres, "tls cancelled") == 0);
        }
    }

    @Test
    void a_certificate_that_is_not_trusted_is_a_matter_of_configuration() {
        var failure = catchThrowableOfType(NightshiftException.class, () -> open("other.crt", "tls"));

        assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(failure).hasMessageStartingWith("replication connection to 127.0.0.1:" + postgres.port() + ": ");
        assertThat(failure.hint())
                .isEqualTo("check sslmode, sslrootcert and the host name in the server's certificate");
    }

    private static ReplicationConnection open(String rootCertificate, String purpose) {
        Properties properties = Connections.properties(postgres.username(), postgres.password());
        properties.setProperty("sslmode", "verify-ca");
        properties.setProperty("sslrootcert", directory.resolve(rootCertificate).toString());
        return ReplicationConnection.open("jdbc:postgresql://127.0.0.1:" + postgres.port() + "/", properties, purpose);
    }

    private static BaseBackupOptions.Builder options() {
        return BaseBackupOptions.labelled("tls").checkpoint(Checkpoint.FAST);
    }
}
