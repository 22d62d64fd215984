package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Whether the archiver succeeds. While it fails, WAL collects until the disk is full. */
final class WalArchivingCheck extends SqlCheck {

    /** @param idle since the last success, or since the statistics began */
    private record Archiver(
            boolean on,
            boolean hasCommand,
            boolean failing,
            long failures,
            @Nullable String wal,
            Duration idle) {}

    WalArchivingCheck() {
        super("wal-archiving", Where.PRIMARY, "archiving of WAL fails");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Archiver archiver = session.single(
                """
                SELECT current_setting('archive_mode') <> 'off' AS on,
                       current_setting('archive_command') NOT IN ('', '(disabled)')
                           OR coalesce(current_setting('archive_library', true), '') <> '' AS has_command,
                       last_failed_time > coalesce(last_archived_time, '-infinity') AS failing,
                       failed_count, last_failed_wal,
                       extract(epoch FROM clock_timestamp()
                               - coalesce(last_archived_time, stats_reset, pg_postmaster_start_time()))::float8 AS idle
                FROM pg_stat_archiver
                """,
                row -> new Archiver(
                        row.getBoolean("on"),
                        row.getBoolean("has_command"),
                        row.getBoolean("failing"),
                        row.getLong("failed_count"),
                        row.getString("last_failed_wal"),
                        Objects.requireNonNull(HealthSession.seconds(row, "idle"))));
        if (!archiver.on()) {
            return List.of();
        }
        if (!archiver.hasCommand()) {
            return List.of(critical(
                    session.address(),
                    "archive_mode is on without archive_command or archive_library: WAL collects until the disk is full",
                    "ALTER SYSTEM SET archive_command = '…'; SELECT pg_reload_conf(); or archive_mode = off, which needs a"
                            + " restart"));
        }
        return !archiver.failing()
                ? List.of()
                : session.settings()
                        .archiveFailing()
                        .severity(archiver.idle())
                        .<HealthResult>map(severity -> wrong(
                                severity,
                                session.address(),
                                "archiving fails: nothing was archived for " + Words.duration(archiver.idle()) + ", "
                                        + Words.count(archiver.failures(), "failure") + ", the last at segment "
                                        + archiver.wal(),
                                "see what it says in the server's log, and run it by hand: SHOW archive_command; see"
                                        + " whether the archive is full or away"))
                        .map(List::of)
                        .orElse(List.of());
    }
}
