package io.nightshift.scheduler.launch;

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
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The one job type that never ends by nature, as it is served. */
class ContinuousArchiveTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Lsn location(TestPostgres postgres, String sql) {
        try (Connection connection = postgres.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() && row.getString(1) != null ? Lsn.parse(row.getString(1)) : Lsn.INVALID;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
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
    void archives_while_the_control_database_is_away_and_its_watch_sees_the_run() {
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
