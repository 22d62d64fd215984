package io.nightshift.infra.load;

import io.nightshift.infra.load.Load.Slot;
import io.nightshift.infra.load.Load.Standby;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Asks a node, primary or standby, for its load (PostgreSQL manual, "The Cumulative Statistics System"; 15 and newer).
 * Everything of ours is left out: its application_name, or its slot's name, begins with {@code nightshift}.
 */
final class LoadReader {

    private final Connection connection;

    LoadReader(Connection connection) {
        this.connection = connection;
    }

    Load read() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT current_user, pg_has_role('pg_read_all_stats', 'USAGE'),
                               (SELECT count(*) FROM pg_stat_activity
                                 WHERE backend_type = 'client backend'
                                   AND state IN ('active', 'fastpath function call')
                                   AND pid <> pg_backend_pid()
                                   AND NOT starts_with(application_name, 'nightshift'))::int
                        """)) {
            row.next();
            boolean seesAll = row.getBoolean(2);
            return new Load(row.getString(1), standbys(), seesAll ? (Integer) row.getInt(3) : null, slots());
        }
    }

    /** Base backups of others are no standbys, nor are subscribers: their slots say what they hold. */
    private List<Standby> standbys() throws SQLException {
        List<Standby> standbys = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT r.application_name, host(r.client_addr), r.state,
                               pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                                    ELSE pg_current_wal_flush_lsn() END,
                                               coalesce(r.replay_lsn, r.flush_lsn, r.write_lsn))::bigint,
                               s.slot_name
                          FROM pg_stat_replication r
                               LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
                         WHERE NOT starts_with(r.application_name, 'nightshift')
                           AND r.application_name <> 'pg_basebackup'
                           AND r.state IS DISTINCT FROM 'backup'
                           AND s.slot_type IS DISTINCT FROM 'logical'
                         ORDER BY r.application_name, r.client_addr, r.pid
                        """)) {
            while (row.next()) {
                String application = row.getString(1);
                standbys.add(new Standby(
                        name(application, row.getString(2)),
                        application,
                        row.getString(3),
                        row.getObject(4, Long.class),
                        row.getString(5)));
            }
        }
        return standbys;
    }

    /** The name that each standby has without being given one tells nobody anything. */
    private static String name(String application, @Nullable String address) {
        boolean given = !application.isEmpty() && !application.equals("walreceiver");
        return given || address == null ? application : application + " at " + address;
    }

    /** On a standby, slots wait for its promotion without anybody at them. */
    private List<Slot> slots() throws SQLException {
        List<Slot> slots = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT slot_name, slot_type = 'physical', active,
                               pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                                    ELSE pg_current_wal_flush_lsn() END, restart_lsn)::bigint
                          FROM pg_replication_slots
                         WHERE restart_lsn IS NOT NULL
                           AND NOT starts_with(slot_name, 'nightshift')
                           AND (active OR NOT pg_is_in_recovery())
                         ORDER BY slot_name
                        """)) {
            while (row.next()) {
                slots.add(new Slot(row.getString(1), row.getBoolean(2), row.getBoolean(3), row.getLong(4)));
            }
        }
        return slots;
    }
}
