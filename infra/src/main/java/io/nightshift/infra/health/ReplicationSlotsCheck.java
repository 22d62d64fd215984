package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.run.Severity;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Replication slots that nobody uses, that retain too much WAL, or that have lost what they were to retain. */
final class ReplicationSlotsCheck extends SqlCheck {

    /**
     * Columns that PostgreSQL 15 has not got are taken from the row as JSON: null there. Nobody streams from the slot that
     * the archive keeps on a standby for its promotion; it is moved on.
     */
    private static final String SQL = """
            SELECT s.slot_name, s.slot_type,
                   s.active OR (pg_is_in_recovery() AND s.slot_name LIKE 'nightshift\\_%') AS active,
                   coalesce(s.wal_status, '') AS wal_status,
                   pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                        ELSE pg_current_wal_lsn() END, s.restart_lsn)::bigint AS retained,
                   s.safe_wal_size,
                   extract(epoch FROM clock_timestamp() - (j.slot ->> 'inactive_since')::timestamptz)::float8 AS inactive,
                   j.slot ->> 'invalidation_reason' AS invalidated,
                   coalesce((j.slot ->> 'conflicting')::bool, false) AS conflicting
            FROM pg_replication_slots s CROSS JOIN LATERAL (SELECT to_jsonb(s) AS slot) AS j
            WHERE NOT s.temporary AND NOT coalesce((j.slot ->> 'synced')::bool, false)
            ORDER BY s.slot_name
            """;

    /**
     * What the server says of a slot.
     *
     * @param retained null when it reserves no WAL yet, or has lost it
     * @param safe how much more may be written before it loses what it needs; null without a limit
     * @param inactive how long nobody uses it; null before PostgreSQL 17, and while somebody does
     */
    record Slot(
            String name,
            String type,
            boolean active,
            String walStatus,
            @Nullable Long retained,
            @Nullable Long safe,
            @Nullable Duration inactive,
            @Nullable String invalidated) {

        private static Slot of(ResultSet row) throws SQLException {
            return new Slot(
                    row.getString("slot_name"),
                    row.getString("slot_type"),
                    row.getBoolean("active"),
                    row.getString("wal_status"),
                    row.getObject("retained", Long.class),
                    row.getObject("safe_wal_size", Long.class),
                    HealthSession.seconds(row, "inactive"),
                    row.getBoolean("conflicting") && row.getString("invalidated") == null
                            ? "conflict with recovery"
                            : row.getString("invalidated"));
        }

        private boolean isLost() {
            return walStatus.equals("lost") || invalidated != null;
        }

        private boolean isForgotten(Duration limit) {
            return !active && retained != null && (inactive == null || inactive.compareTo(limit) >= 0);
        }
    }

    ReplicationSlotsCheck() {
        super("replication-slots", Where.EVERY_NODE, "a replication slot is unused, lost, or retains much WAL");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session.query(SQL, Slot::of).stream()
                .flatMap(slot -> judge(slot, session.address(), session.settings()).stream())
                .toList();
    }

    /** The worst that can be said of a slot. */
    Optional<HealthResult> judge(Slot slot, String node, HealthSettings settings) {
        String subject = "slot " + slot.name() + " of " + node;
        String drop = "SELECT pg_drop_replication_slot(" + Identifiers.literal(slot.name()) + ")";
        if (slot.isLost()) {
            return Optional.of(critical(
                    subject,
                    "is lost" + (slot.invalidated() == null ? "" : " (" + slot.invalidated() + ")")
                            + ": its consumer cannot go on",
                    drop + "; then build its standby or subscription anew"));
        }
        if (slot.walStatus().equals("unreserved")) {
            return Optional.of(critical(
                    subject,
                    "is about to be lost: WAL that it needs may be removed at the next checkpoint",
                    "let its consumer catch up now, or raise max_slot_wal_keep_size: ALTER SYSTEM SET"
                            + " max_slot_wal_keep_size = '…'; SELECT pg_reload_conf()"));
        }
        Long retained = slot.retained();
        Optional<Severity> much = retained == null
                ? Optional.empty()
                : settings.slotRetained().severity(new DataSize(Math.max(0, retained)));
        boolean forgotten = slot.isForgotten(settings.slotInactive());
        if (much.isEmpty() && !forgotten && !isTight(slot)) {
            return Optional.empty();
        }
        return Optional.of(wrong(
                much.orElse(Severity.WARNING),
                subject,
                (forgotten
                                ? "nobody uses this " + slot.type() + " slot" + since(slot.inactive()) + "; it"
                                : slot.type() + " slot")
                        + " retains " + Words.bytes(retained == null ? 0 : retained) + " of WAL"
                        + (slot.safe() == null ? "" : " and is lost after " + Words.bytes(slot.safe()) + " more"),
                slot.active()
                        ? "see why its consumer is behind: SELECT * FROM pg_stat_replication; if it is to be given up: "
                                + drop
                        : "start its consumer, or, if it is gone: " + drop));
    }

    /** Whether less may be written until it is lost than is retained already. */
    private static boolean isTight(Slot slot) {
        Long safe = slot.safe();
        Long retained = slot.retained();
        return safe != null && retained != null && retained > 0 && safe < retained / 4;
    }

    private static String since(@Nullable Duration inactive) {
        return inactive == null ? "" : " for " + Words.duration(inactive);
    }
}
