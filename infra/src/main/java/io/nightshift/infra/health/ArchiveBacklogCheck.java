package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** How many WAL segments wait for archiving: each is WAL that a restore would lack. */
final class ArchiveBacklogCheck extends SqlCheck {

    private record Backlog(long segments, long segmentBytes) {}

    ArchiveBacklogCheck() {
        super("archive-backlog", Where.PRIMARY, "archiving of WAL is behind");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Backlog backlog =
                session.single("""
                SELECT count(*) AS segments,
                       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS segment_bytes
                FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'
                """, row -> new Backlog(row.getLong("segments"), row.getLong("segment_bytes")));
        return session.settings()
                .archiveBacklog()
                .severity(backlog.segments())
                .<HealthResult>map(severity -> wrong(
                        severity,
                        session.address(),
                        Words.count(backlog.segments(), "WAL segment") + " ("
                                + Words.bytes(backlog.segments() * backlog.segmentBytes()) + ") wait for archiving",
                        "see whether wal-archiving fails; if it only is slow, let archive_command copy several segments at"
                                + " a time, or give the archive a faster path"))
                .map(List::of)
                .orElse(List.of());
    }
}
