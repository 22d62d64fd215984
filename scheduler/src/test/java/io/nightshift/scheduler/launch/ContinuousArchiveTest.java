package io.nightshift.scheduler.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.wal.WalArchiveJobType;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The one job type that never ends by nature, as it is served. */
class ContinuousArchiveTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Lsn location(TestPostgres postgres, String sql) {
        String location = postgres.text(sql);
        return location == null ? Lsn.INVALID : Lsn.parse(location);
    }

    /** What {@code nightshift wal push} says to the process that serves, and hears. */
    private static String push(Installation installation, String request) throws IOException {
        var address = UnixDomainSocketAddress.of(installation.home().resolve("wal-push.socket"));
        try (SocketChannel socket = SocketChannel.open(address)) {
            socket.write(UTF_8.encode(request + "\n"));
            return new String(Channels.newInputStream(socket).readAllBytes(), UTF_8).strip();
        }
    }

    /** What is acknowledged is stored. */
    private static void awaitArchived(TestPostgres postgres) {
        postgres.execute("postgres", "SELECT pg_switch_wal()", "CREATE TABLE IF NOT EXISTS t ()", "DROP TABLE t");
        Lsn written = location(postgres, "SELECT pg_current_wal_flush_lsn()");
        await().atMost(LIMIT)
                .until(() -> !location(postgres, "SELECT restart_lsn FROM pg_replication_slots")
                        .isBefore(written));
    }

    @Test
    void archives_while_the_control_database_is_away_and_its_watch_sees_the_run() throws Exception {
        try (var control = TestPostgres.start(18);
                var managed = TestPostgres.start(18);
                var installation = Installation.on(control.url("postgres"), control.username(), control.password())
                        .with(new WalArchiveJobType())) {
            installation
                    .write("clusters/chanuka.yaml", """
                            nodes: ["127.0.0.1:%d"]
                            username: %s
                            password: "%s"
                            sslmode: disable
                            storages: {local: required}
                            """.formatted(
                                    managed.port(), managed.username(), managed.password()))
                    .write("jobs/archive.yaml", """
                            type: wal-archive
                            cluster: chanuka
                            schedule: continuous
                            settings: {store-partial-every: 1s}
                            """);
            try (ControlDatabase database = installation.controlDatabase();
                    Nightshift nightshift = installation.serving(database)) {
                assertThat(nightshift).isNotNull();
                awaitArchived(managed);
                Path segment = managed.dataDirectory().resolve("pg_wal/000000010000000000000001");
                assertThat(push(installation, "push chanuka " + segment)).isEqualTo("ok");
                assertThat(push(installation, "push nowhere " + segment))
                        .startsWith("error cluster nowhere is not configured");

                control.kill();
                awaitArchived(managed);
                control.restart();
                awaitArchived(managed);
                assertThat(Installation.runs(database, "archive"))
                        .singleElement()
                        .extracting(Run::state)
                        .isEqualTo(RunState.RUNNING);

                managed.execute(
                        "postgres",
                        "SET synchronous_commit = local",
                        "ALTER SYSTEM SET synchronous_standby_names = '*'",
                        "SELECT pg_reload_conf()");
                await().atMost(LIMIT)
                        .until(() -> Installation.runs(database, "archive").stream()
                                .anyMatch(run -> run.state() == RunState.FAILED));
            }
        }
    }
}
