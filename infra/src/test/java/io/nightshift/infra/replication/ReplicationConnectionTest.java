package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Servers;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReplicationConnectionTest {

    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final int NEWEST = 18;

    private static final Servers SERVERS = new Servers(Map.of("max_wal_senders", "3", "max_replication_slots", "2"));

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void identifies_the_cluster(int major) throws Exception {
        var postgres = SERVERS.of(major);
        var before = Lsn.parse(postgres.text("SELECT pg_current_wal_flush_lsn()"));
        var systemIdentifier = postgres.text("SELECT system_identifier FROM pg_control_system()");

        try (var connection = Connections.open(postgres, "run 1")) {
            var identity = connection.identifySystem();

            assertThat(identity.systemIdentifier()).hasToString(systemIdentifier);
            assertThat(identity.timeline()).isEqualTo(new Timeline(1));
            assertThat(identity.flushLsn()).isGreaterThanOrEqualTo(before);
            assertThat(connection.version().major()).isEqualTo(major);
            assertThat(connection.server()).isEqualTo("127.0.0.1:" + postgres.port());
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void shows_settings_and_goes_on_after_a_wrong_one(int major) {
        try (var connection = Connections.open(SERVERS.of(major), "run 1")) {
            var failure = failure(() -> connection.show("wal_segment_sise"));

            assertThat(failure)
                    .hasMessageContaining("show wal_segment_sise at 127.0.0.1:")
                    .hasMessageContaining("unrecognized configuration parameter");
            assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
            assertThat(connection.show("wal_segment_size")).isEqualTo("16MB");
            assertThat(connection.show("max_wal_senders")).isEqualTo("3");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void is_seen_in_the_server_by_its_purpose(int major) throws Exception {
        var postgres = SERVERS.of(major);

        try (var connection = Connections.open(postgres, "run 4711")) {
            connection.identifySystem();

            assertThat(Connections.walsenders(postgres, "run 4711")).isOne();
        }

        await().until(() -> Connections.walsenders(postgres, "run 4711") == 0);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void creates_reads_and_drops_slots(int major) {
        try (var connection = Connections.open(SERVERS.of(major), "slots")) {
            connection.createPhysicalSlot("kept", false, true);
            connection.createPhysicalSlot("idle", true, false);

            assertThat(connection.readSlot("kept")).hasValueSatisfying(slot -> {
                assertThat(slot.restartLsn())
                        .isLessThanOrEqualTo(connection.identifySystem().flushLsn());
                assertThat(slot.timeline()).isEqualTo(new Timeline(1));
            });
            assertThat(connection.readSlot("idle")).contains(new SlotPosition(null, null));
            assertThat(connection.readSlot("absent")).isEmpty();

            connection.dropSlot("kept");
            assertThat(connection.readSlot("kept")).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void refuses_a_slot_that_exists_is_missing_or_is_one_too_many(int major) {
        try (var connection = Connections.open(SERVERS.of(major), "slots")) {
            connection.createPhysicalSlot("one", false, true);
            connection.createPhysicalSlot("two", false, true);

            var twice = failure(() -> connection.createPhysicalSlot("one", true, true));
            var third = failure(() -> connection.createPhysicalSlot("three", true, true));
            connection.dropSlot("one");
            connection.dropSlot("two");
            var missing = failure(() -> connection.dropSlot("two"));

            assertThat(twice.kind()).isEqualTo(FailureKind.REFUSED);
            assertThat(twice).hasMessageEndingWith("replication slot \"one\" already exists");
            assertThat(third.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED);
            assertThat(third).hasMessageEndingWith("all replication slots are in use");
            assertThat(third.hint()).isEqualTo("raise max_replication_slots, or drop slots that nobody uses");
            assertThat(missing.kind()).isEqualTo(FailureKind.CONFIGURATION);
            assertThat(missing).hasMessageEndingWith("replication slot \"two\" does not exist");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_temporary_slot_does_not_outlive_an_error_in_its_session(int major) {
        try (var connection = Connections.open(SERVERS.of(major), "slots")) {
            connection.createPhysicalSlot("fragile", true, true);
            assertThat(connection.readSlot("fragile")).isPresent();

            failure(() -> connection.show("no_such_setting"));

            assertThat(connection.readSlot("fragile")).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_slot_in_use_is_refused_and_a_temporary_one_ends_with_its_session(int major) throws Exception {
        var postgres = SERVERS.of(major);
        try (var other = Connections.open(postgres, "other")) {
            try (var owner = Connections.open(postgres, "owner")) {
                owner.createPhysicalSlot("busy", true, true);

                var failure = failure(() -> other.dropSlot("busy"));

                assertThat(failure.kind()).isEqualTo(FailureKind.REFUSED);
                assertThat(failure)
                        .hasMessageMatching(
                                "drop replication slot busy at 127.0.0.1:\\d+: replication slot \"busy\" is active for PID \\d+.*");
                assertThat(failure.hint()).isEqualTo("wait for the other session, or end it");
            }

            await().until(() -> other.readSlot("busy"), Optional::isEmpty);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void reads_the_history_of_a_timeline(int major) {
        try (var postgres = TestPostgres.start(major)) {
            promoteCopy(postgres);

            try (var connection = Connections.open(postgres, "history")) {
                var history = connection.timelineHistory(new Timeline(2)).orElseThrow();

                assertThat(connection.identifySystem().timeline()).isEqualTo(new Timeline(2));
                assertThat(history.fileName()).isEqualTo("00000002.history");
                assertThat(new String(history.content(), StandardCharsets.US_ASCII))
                        .startsWith("1\t0/");
                assertThat(connection.timelineHistory(new Timeline(1))).isEmpty();
                assertThat(failure(() -> connection.timelineHistory(new Timeline(3))))
                        .hasMessageContaining("history of timeline 3 from 127.0.0.1:");
            }
        }
    }

    @Test
    void refuses_names_that_would_break_a_command() {
        try (var connection = Connections.open(SERVERS.of(NEWEST), "names")) {
            for (var name : List.of("", "Upper", "with space", "a\"b", "a'b", "a;b", "é", "x".repeat(64))) {
                var failure = failure(() -> connection.createPhysicalSlot(name, true, false));

                assertThat(failure).hasMessage("\"" + name + "\" is not a name for a replication slot");
                assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
            }
            assertThat(failure(() -> connection.show("a; b"))).hasMessage("\"a; b\" is not a name of a setting");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_a_wrong_password(int major) {
        var postgres = SERVERS.of(major);

        var failure = failure(() -> Connections.open(postgres, "postgres", "wrong", "run 1"));

        assertThat(failure)
                .hasMessage("replication connection to 127.0.0.1:" + postgres.port()
                        + ": password authentication failed for user \"postgres\"");
        assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(failure.hint()).isEqualTo("check the password of role postgres");
    }

    @Test
    void tells_a_missing_password() {
        var properties = new Properties();
        properties.setProperty("user", "postgres");
        var url = SERVERS.of(NEWEST).url("postgres");

        var failure = failure(() -> ReplicationConnection.open(url, properties, "run 1"));

        assertThat(failure).hasMessageContaining("no password was provided");
        assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_a_role_that_may_not_replicate_and_one_that_may_not_log_in(int major) {
        var postgres = SERVERS.of(major);
        postgres.execute(
                "postgres",
                "CREATE ROLE plain LOGIN PASSWORD 'p'",
                "CREATE ROLE mute NOLOGIN REPLICATION PASSWORD 'p'");

        var plain = failure(() -> Connections.open(postgres, "plain", "p", "run 1"));
        assertThat(plain.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(plain)
                .hasMessageContaining(
                        major == 15 ? "replication role to start walsender" : "permission denied to start WAL sender");
        assertThat(plain.hint()).isEqualTo("ALTER ROLE \"plain\" LOGIN REPLICATION");

        var mute = failure(() -> Connections.open(postgres, "mute", "p", "run 1"));
        assertThat(mute.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(mute).hasMessageEndingWith("role \"mute\" is not permitted to log in");
        assertThat(mute.hint())
                .isEqualTo("the role needs LOGIN, and pg_hba.conf a line such as: host replication mute"
                        + " <address of this machine> scram-sha-256");
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_role_with_nothing_but_replication_is_enough(int major) {
        var postgres = SERVERS.of(major);
        postgres.execute("postgres", "CREATE ROLE archivist LOGIN REPLICATION PASSWORD 'p'");

        try (var connection = Connections.open(postgres, "archivist", "p", "run 1")) {
            connection.createPhysicalSlot("mine", true, true);

            assertThat(connection.identifySystem().flushLsn().isValid()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    @SuppressWarnings("try") // the connections only have to be there
    void tells_that_all_walsenders_are_taken(int major) {
        var postgres = SERVERS.of(major);

        try (var one = Connections.open(postgres, "one");
                var two = Connections.open(postgres, "two");
                var three = Connections.open(postgres, "three")) {
            var failure = failure(() -> Connections.open(postgres, "four"));

            assertThat(failure.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED);
            assertThat(failure)
                    .hasMessageMatching(
                            "replication connection to 127.0.0.1:\\d+: number of requested standby connections exceeds \"?max_wal_senders\"? \\(currently 3\\)");
            assertThat(failure.hint())
                    .isEqualTo("raise max_wal_senders, or do not overlap this job with other backups and standbys");
        }
    }

    @Test
    void tells_a_server_that_is_not_there() throws Exception {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }

        var failure = failure(() -> ReplicationConnection.open(
                "jdbc:postgresql://127.0.0.1:" + port + "/", Connections.properties("x", "y"), "run 1"));

        assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(failure).hasMessageStartingWith("replication connection to 127.0.0.1:" + port + ": Connection to");
        assertThat(failure.hint()).isEqualTo("check that the server runs and that the network lets us in");
    }

    @Test
    void never_repeats_a_url_that_may_hold_a_password() {
        for (var url : List.of("jdbc:mysql://db1/?password=secret", "jdbc:postgresql://db1:port/?password=secret")) {
            var failure = failure(() -> ReplicationConnection.open(url, new Properties(), "run 1"));

            assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
            assertThat(failure).hasMessage("the URL of a replication connection is not one that pgjdbc understands");
            assertThat(failure).hasNoCause();
        }
    }

    @Test
    void a_frozen_server_is_given_up_after_the_limit() {
        try (var postgres = TestPostgres.start(NEWEST)) {
            var properties = Connections.properties(postgres.username(), postgres.password());
            properties.setProperty("socketTimeout", "1");
            try (var connection = ReplicationConnection.open(postgres.url("postgres"), properties, "run 1")) {
                connection.identifySystem();
                postgres.freeze();

                var failure = failure(connection::identifySystem);
                postgres.thaw();

                assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
                assertThat(failure).hasMessageEndingWith(": the server was silent for too long");
                assertThat(failure(connection::identifySystem))
                        .hasMessageEndingWith("connection lost: it was closed before");
            }
        }
    }

    @Test
    void a_killed_server_is_unavailable_and_closing_is_harmless() {
        try (var postgres = TestPostgres.start(NEWEST)) {
            var connection = Connections.open(postgres, "run 1");
            postgres.kill();

            var failure = failure(connection::identifySystem);
            connection.close();
            connection.close();

            assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            assertThat(failure).hasMessageStartingWith("identify system at 127.0.0.1:");
        }
    }

    @Test
    void a_session_ended_by_an_administrator_is_unavailable() {
        var postgres = SERVERS.of(NEWEST);
        try (var connection = Connections.open(postgres, "run 99")) {
            connection.identifySystem();
            postgres.execute(
                    "postgres",
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'nightshift run 99'");

            var failure = failure(connection::identifySystem);

            assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        }
    }

    private static void promoteCopy(TestPostgres postgres) {
        postgres.stop();
        try {
            Files.createFile(postgres.dataDirectory().resolve("standby.signal"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        postgres.restart();
        postgres.execute("postgres", "SELECT pg_promote()");
    }

    private static NightshiftException failure(ThrowingCallable code) {
        return catchThrowableOfType(NightshiftException.class, code);
    }
}
