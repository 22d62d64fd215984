package io.nightshift.jobs.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.ManifestChecksum;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A node, and the archive's replication slot on it.
 *
 * @param flushed WAL up to here is on the node's disk
 * @param synchronous the node's {@code synchronous_standby_names}
 * @param slot null while there is none
 */
record ArchiveSlot(
        boolean inRecovery,
        Lsn flushed,
        String synchronous,
        @Nullable Slot slot) {

    private static final int LONGEST_CLUSTER = 40;
    private static final int DIGITS = 8;

    private static final String SQL = """
            SELECT pg_is_in_recovery() AS in_recovery,
                   coalesce(CASE WHEN pg_is_in_recovery()
                                 THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                                 ELSE pg_current_wal_flush_lsn() END, '0/0')::text AS flushed,
                   current_setting('synchronous_standby_names') AS synchronous,
                   s.slot_name, s.active, s.active_pid, s.restart_lsn::text AS restart_lsn,
                   coalesce(s.wal_status, '') AS wal_status, to_jsonb(s) ->> 'invalidation_reason' AS invalidated
            FROM (SELECT) AS one LEFT JOIN pg_replication_slots s ON s.slot_name = ?
            """;

    /**
     * What the server says of it.
     *
     * @param user the process that streams from it; null while nobody does
     * @param restart what it keeps WAL from; null when it keeps none
     * @param lost why it has lost what it was to keep; null while it has not
     */
    record Slot(
            @Nullable Integer user,
            @Nullable Lsn restart,
            @Nullable String lost) {}

    /** The same name on every node, and no other installation's. */
    static String name(String installation, String cluster) {
        String plain = cluster.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
        String both = ManifestChecksum.SHA256.hexOf((installation + "/" + cluster).getBytes(StandardCharsets.UTF_8));
        return "nightshift_" + plain.substring(0, Math.min(plain.length(), LONGEST_CLUSTER)) + "_"
                + both.substring(0, DIGITS);
    }

    static ArchiveSlot read(Connection session, String name) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement(SQL)) {
            statement.setString(1, name);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new ArchiveSlot(
                        row.getBoolean("in_recovery"),
                        Lsn.parse(row.getString("flushed")),
                        row.getString("synchronous"),
                        row.getString("slot_name") == null ? null : slot(row));
            }
        }
    }

    private static Slot slot(ResultSet row) throws SQLException {
        String restart = row.getString("restart_lsn");
        String invalidated = row.getString("invalidated");
        String lost = invalidated != null
                ? invalidated
                : row.getString("wal_status").equals("lost") ? "max_slot_wal_keep_size" : null;
        return new Slot(row.getObject("active_pid", Integer.class), restart == null ? null : Lsn.parse(restart), lost);
    }

    /** What it keeps WAL from; null when there is none that keeps any. */
    @Nullable
    Lsn restart() {
        return slot == null || slot.lost() != null ? null : slot.restart();
    }

    /** Bytes of WAL that the node keeps for it. */
    long retained() {
        Lsn restart = restart();
        return restart == null ? 0 : Math.max(0, flushed.minus(restart));
    }
}
