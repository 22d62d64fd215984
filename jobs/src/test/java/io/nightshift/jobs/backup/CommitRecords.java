package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Where the commit record of each logged write of the workload begins, by the id of its row in
 * {@code chanuka.commit_log}. Read from the WAL itself by pg_walinspect, because what a session can ask for around its
 * COMMIT are bounds only: another session's commit record may lie between them. Recovery replays whole records in the
 * order of the WAL, so where one begins decides.
 */
record CommitRecords(NavigableMap<Lsn, Long> ids) {

    /** Of a server that keeps all WAL from that location on, while nobody writes. */
    static CommitRecords since(Lsn from, TestPostgres server) throws SQLException {
        server.execute("postgres", "CREATE EXTENSION IF NOT EXISTS pg_walinspect");
        NavigableMap<Lsn, Long> ids = new TreeMap<>();
        try (Connection connection = server.connect("postgres");
                PreparedStatement statement = connection.prepareStatement("""
                        WITH commits AS MATERIALIZED (
                            SELECT start_lsn, xid
                              FROM pg_get_wal_records_info(CAST(? AS pg_lsn), pg_current_wal_flush_lsn())
                             WHERE resource_manager = 'Transaction' AND record_type = 'COMMIT')
                        SELECT start_lsn::text, id
                          FROM commits JOIN chanuka.commit_log AS log ON log.xmin = commits.xid
                        """)) {
            statement.setString(1, from.toString());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    ids.put(Lsn.parse(row.getString(1)), row.getLong(2));
                }
            }
        }
        return new CommitRecords(ids);
    }

    Set<Long> where(Predicate<Lsn> begins) {
        Set<Long> found = new TreeSet<>();
        ids.forEach((lsn, id) -> {
            if (begins.test(lsn)) {
                found.add(id);
            }
        });
        return found;
    }
}
