package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * What decides whether a server can give a base backup.
 *
 * @param sendersFree of {@code max_wal_senders}
 * @param slotsFree of {@code max_replication_slots}
 */
record ServerFacts(
        PostgresVersion version,
        String role,
        boolean mayReplicate,
        String walLevel,
        int sendersFree,
        int maxWalSenders,
        int slotsFree,
        int maxReplicationSlots) {

    static final String VERSION = "server version";

    static ServerFacts of(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT current_setting('server_version_num'),
                               current_user,
                               (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
                               current_setting('wal_level'),
                               current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication)::int,
                               current_setting('max_wal_senders')::int,
                               current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)::int,
                               current_setting('max_replication_slots')::int
                        """)) {
            row.next();
            return new ServerFacts(
                    PostgresVersion.parse(row.getString(1)),
                    row.getString(2),
                    row.getBoolean(3),
                    row.getString(4),
                    row.getInt(5),
                    row.getInt(6),
                    row.getInt(7),
                    row.getInt(8));
        }
    }

    /** Throws CONFIGURATION or RESOURCES_EXHAUSTED with the way to mend it. */
    void requireBackupPossible(String cluster) {
        if (!version.isSupported()) {
            throw refused(
                    FailureKind.CONFIGURATION,
                    cluster,
                    "PostgreSQL " + version + " is not supported",
                    "supported: " + PostgresVersion.OLDEST_SUPPORTED_MAJOR + " to "
                            + PostgresVersion.NEWEST_SUPPORTED_MAJOR);
        }
        if (!mayReplicate) {
            throw refused(
                    FailureKind.CONFIGURATION,
                    cluster,
                    "role " + role + " may not replicate",
                    "ALTER ROLE \"" + role.replace("\"", "\"\"") + "\" REPLICATION");
        }
        if (walLevel.equals("minimal")) {
            throw refused(
                    FailureKind.CONFIGURATION,
                    cluster,
                    "wal_level is minimal",
                    "set wal_level = replica and restart the server");
        }
        if (sendersFree < 1) {
            throw refused(
                    FailureKind.RESOURCES_EXHAUSTED,
                    cluster,
                    "all " + maxWalSenders + " WAL senders are in use",
                    "raise max_wal_senders and restart the server, or do not overlap this job with other backups");
        }
        if (slotsFree < 1) {
            throw refused(
                    FailureKind.RESOURCES_EXHAUSTED,
                    cluster,
                    "all " + maxReplicationSlots + " replication slots are in use",
                    "raise max_replication_slots and restart the server, or drop a slot that nobody uses");
        }
    }

    private static NightshiftException refused(FailureKind kind, String cluster, String fact, String hint) {
        return new NightshiftException(kind, "base backup of cluster " + cluster + " is not possible: " + fact, hint);
    }
}
