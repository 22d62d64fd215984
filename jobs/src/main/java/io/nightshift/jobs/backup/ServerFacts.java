package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SqlStates;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a server says of itself before a base backup, as far as the role may see it.
 *
 * @param senders of {@code max_wal_senders}
 * @param slots of {@code max_replication_slots}
 * @param summarizer what makes the summaries for incremental backups; null before 17, where it is off or hidden
 * @param clockAhead of this machine's clock; negative when it is behind
 * @param bytes of all tablespaces; null when the role may not measure them
 * @param walKept {@code max_slot_wal_keep_size} in megabytes; -1 for no limit
 */
record ServerFacts(
        PostgresVersion version,
        Role role,
        String walLevel,
        Capacity senders,
        Capacity slots,
        Safety safety,
        @Nullable Summarizer summarizer,
        Duration clockAhead,
        @Nullable Long bytes,
        long walKept) {

    static final String VERSION = "server version";

    /** Who we are there. */
    record Role(String name, boolean mayReplicate) {}

    /** Of something that the server has a limited number of. */
    record Capacity(int free, int most) {}

    /**
     * What the server does for its data.
     *
     * @param fullPageWrites of a standby: what its primary did at the last restart point, whatever the standby's own setting
     * @param summarizesWal which incremental backups need; null before 17
     */
    record Safety(
            boolean fsync,
            boolean fullPageWrites,
            boolean dataChecksums,
            boolean inRecovery,
            @Nullable Boolean summarizesWal) {}

    /**
     * How it gets on.
     *
     * @param running whether its process is there
     * @param behind bytes of WAL that it has not read yet; null before its first summary
     */
    record Summarizer(boolean running, @Nullable Long behind) {}

    /** Reads them; columns that a server of 15 lacks are not asked for. */
    static ServerFacts of(Connection connection, Clock clock) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            Instant asked = clock.instant();
            try (ResultSet row = statement.executeQuery("""
                    SELECT current_setting('server_version_num') AS version,
                           current_user AS role,
                           (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS replicates,
                           current_setting('wal_level') AS wal_level,
                           (SELECT count(*) FROM pg_stat_replication)::int AS senders,
                           current_setting('max_wal_senders')::int AS max_senders,
                           (SELECT count(*) FROM pg_replication_slots)::int AS slots,
                           current_setting('max_replication_slots')::int AS max_slots,
                           current_setting('fsync')::bool AS fsync,
                           CASE WHEN pg_is_in_recovery()
                                THEN (SELECT full_page_writes FROM pg_control_checkpoint())
                                ELSE current_setting('full_page_writes')::bool END AS full_page_writes,
                           current_setting('data_checksums')::bool AS checksums,
                           pg_is_in_recovery() AS in_recovery,
                           current_setting('summarize_wal', true)::bool AS summarizes,
                           (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS kept,
                           extract(epoch FROM clock_timestamp()) * 1000 AS millis,
                           (SELECT bool_and(has_tablespace_privilege(oid, 'CREATE')
                                            OR pg_has_role('pg_read_all_stats', 'MEMBER'))
                            FROM pg_tablespace) AS measurable
                    """)) {
                row.next();
                long between = Duration.between(asked, clock.instant()).toMillis() / 2;
                long ahead = Math.round(row.getDouble("millis")) - asked.toEpochMilli() - between;
                Boolean summarizes = row.getObject("summarizes", Boolean.class);
                boolean measurable = row.getBoolean("measurable");
                return new ServerFacts(
                        PostgresVersion.parse(row.getString("version")),
                        new Role(row.getString("role"), row.getBoolean("replicates")),
                        row.getString("wal_level"),
                        capacity(row.getInt("senders"), row.getInt("max_senders")),
                        capacity(row.getInt("slots"), row.getInt("max_slots")),
                        new Safety(
                                row.getBoolean("fsync"),
                                row.getBoolean("full_page_writes"),
                                row.getBoolean("checksums"),
                                row.getBoolean("in_recovery"),
                                summarizes),
                        Boolean.TRUE.equals(summarizes) ? summarizer(connection) : null,
                        Duration.ofMillis(ahead),
                        measurable ? (Long) bytes(connection) : null,
                        row.getLong("kept"));
            }
        }
    }

    private static Capacity capacity(int used, int most) {
        return new Capacity(most - used, most);
    }

    /** PostgreSQL 17 and newer. What it has read but not summarized yet is not behind: summaries end at checkpoints. */
    private static @Nullable Summarizer summarizer(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT summarizer_pid IS NOT NULL,
                               pg_wal_lsn_diff(
                                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                        ELSE pg_current_wal_flush_lsn() END,
                                   nullif(greatest(summarized_lsn, pending_lsn), '0/0'))::bigint
                          FROM pg_get_wal_summarizer_state()
                        """)) {
            row.next();
            return new Summarizer(row.getBoolean(1), row.getObject(2, Long.class));
        } catch (SQLException e) {
            if (SqlStates.INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) {
                return null;
            }
            throw e;
        }
    }

    private static long bytes(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT sum(pg_tablespace_size(oid))::bigint FROM pg_tablespace")) {
            row.next();
            return row.getLong(1);
        }
    }
}
