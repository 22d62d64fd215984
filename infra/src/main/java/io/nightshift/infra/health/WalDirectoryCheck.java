package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Whether pg_wal is much larger than it should be: the usual way in which a disk gets full. */
final class WalDirectoryCheck extends SqlCheck {

    private record Directory(long bytes, long expected) {}

    WalDirectoryCheck() {
        super("wal-directory", Where.EVERY_NODE, "pg_wal grows");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Directory directory = session.single("""
                SELECT coalesce(sum(size), 0)::bigint AS bytes,
                       greatest(pg_size_bytes(current_setting('max_wal_size')),
                                pg_size_bytes(current_setting('wal_keep_size'))) AS expected
                FROM pg_ls_waldir()
                """, row -> new Directory(row.getLong("bytes"), row.getLong("expected")));
        long percent = Words.percent(directory.bytes(), directory.expected());
        return directory.bytes() < session.settings().walDirectoryFloor().bytes()
                ? List.of()
                : session.settings()
                        .walDirectory()
                        .severity(percent)
                        .<HealthResult>map(severity -> wrong(
                                severity,
                                session.address(),
                                "pg_wal holds " + Words.bytes(directory.bytes()) + ", " + percent + " % of the "
                                        + Words.bytes(directory.expected())
                                        + " that max_wal_size and wal_keep_size ask for",
                                "find what retains it: replication-slots, wal-archiving, archive-backlog; SELECT slot_name,"
                                        + " active, restart_lsn FROM pg_replication_slots ORDER BY restart_lsn; never delete"
                                        + " files there by hand"))
                        .map(List::of)
                        .orElse(List.of());
    }
}
