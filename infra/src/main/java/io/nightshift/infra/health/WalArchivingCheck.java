package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether the archiver succeeds. While it fails, WAL collects until the disk is full. On a quiet cluster the last success may
 * be long ago; what counts is for how long a segment waits.
 */
final class WalArchivingCheck extends SqlCheck {

    /** @param waiting of the oldest segment; null when none waits */
    private record Archiver(
            boolean on,
            boolean hasCommand,
            boolean failing,
            long failures,
            @Nullable String wal,
            @Nullable Duration waiting) {}

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
                       (SELECT extract(epoch FROM clock_timestamp() - min(modification))::float8
                        FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS waiting
                FROM pg_stat_archiver
                """,
                row -> new Archiver(
                        row.getBoolean("on"),
                        row.getBoolean("has_command"),
                        row.getBoolean("failing"),
                        row.getLong("failed_count"),
                        row.getString("last_failed_wal"),
                        HealthSession.seconds(row, "waiting")));
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
        Duration waiting = archiver.waiting();
        return !archiver.failing() || waiting == null
                ? List.of()
                : session.settings()
                        .archiveFailing()
                        .severity(waiting)
                        .<HealthResult>map(severity -> wrong(
                                severity,
                                session.address(),
                                "archiving fails: a WAL segment waits for " + Words.duration(waiting) + ", "
                                        + Words.count(archiver.failures(), "failure") + ", the last at segment "
                                        + archiver.wal(),
                                "see what it says in the server's log, and run it by hand: SHOW archive_command; see"
                                        + " whether the archive is full or away"))
                        .map(List::of)
                        .orElse(List.of());
    }
}
