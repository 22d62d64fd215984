package io.nightshift.jobs.backup;

import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.ServerFacts;
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
 * How a server is before a base backup, as far as the role may see it.
 *
 * @param senders of {@code max_wal_senders}
 * @param slots of {@code max_replication_slots}
 * @param fullPageWrites of a standby: what its primary did at the last restart point, whatever the standby's own setting
 * @param summarizer what makes the summaries for incremental backups; null before 17, where it is off or hidden
 * @param clockAhead of this machine's clock; negative when it is behind
 * @param bytes of all tablespaces; null when the role may not measure them
 */
record SourceState(
        ServerFacts facts,
        Capacity senders,
        Capacity slots,
        boolean fullPageWrites,
        @Nullable Summarizer summarizer,
        Duration clockAhead,
        @Nullable Long bytes) {

    static final String VERSION = "server version";

    /** Of something that the server has a limited number of. */
    record Capacity(int free, int most) {}

    /**
     * How it gets on.
     *
     * @param running whether its process is there
     * @param behind bytes of WAL that it has not read yet; null before its first summary
     */
    record Summarizer(boolean running, @Nullable Long behind) {}

    /** Asks over a session of the node. */
    static SourceState of(ManagedNode node, Connection connection, Clock clock) throws SQLException {
        ServerFacts facts = node.facts(connection);
        try (Statement statement = connection.createStatement()) {
            Instant asked = clock.instant();
            try (ResultSet row = statement.executeQuery("""
                    SELECT (SELECT count(*) FROM pg_stat_replication)::int AS senders,
                           (SELECT count(*) FROM pg_replication_slots)::int AS slots,
                           (SELECT full_page_writes FROM pg_control_checkpoint()) AS replayed_full_page_writes,
                           extract(epoch FROM clock_timestamp()) * 1000 AS millis,
                           (SELECT bool_and(has_tablespace_privilege(oid, 'CREATE')
                                            OR pg_has_role('pg_read_all_stats', 'MEMBER'))
                            FROM pg_tablespace) AS measurable
                    """)) {
                row.next();
                long between = Duration.between(asked, clock.instant()).toMillis() / 2;
                long ahead = Math.round(row.getDouble("millis")) - asked.toEpochMilli() - between;
                boolean measurable = row.getBoolean("measurable");
                return new SourceState(
                        facts,
                        capacity(row.getInt("senders"), facts.number("max_wal_senders")),
                        capacity(row.getInt("slots"), facts.number("max_replication_slots")),
                        facts.inRecovery()
                                ? row.getBoolean("replayed_full_page_writes")
                                : facts.isOn("full_page_writes"),
                        facts.isOn("summarize_wal") ? summarizer(connection) : null,
                        Duration.ofMillis(ahead),
                        measurable ? (Long) bytes(connection) : null);
            }
        }
    }

    private static Capacity capacity(int used, long most) {
        return new Capacity((int) most - used, (int) most);
    }

    String walLevel() {
        return facts.setting("wal_level").orElse("");
    }

    /** {@code max_slot_wal_keep_size} in megabytes; -1 for no limit. */
    long walKept() {
        return facts.number("max_slot_wal_keep_size");
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
