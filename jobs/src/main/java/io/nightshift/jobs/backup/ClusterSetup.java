package io.nightshift.jobs.backup;

import io.nightshift.infra.postgres.Identifiers;
import java.util.List;

/**
 * What a cluster needs before it can be backed up by a role that may do nothing else. Text for its administrator: nothing
 * is changed by us.
 *
 * @param role that connects
 * @param database where it connects; function grants hold in this database only
 * @param encrypted whether connections are encrypted, as the cluster's sslmode says
 */
public record ClusterSetup(String role, String database, boolean encrypted) {

    static final List<String> GRANTED_ROLES = List.of("pg_monitor");
    static final int FREE_SENDERS = 3;
    static final int FREE_SLOTS = 2;

    /** A setting, what it must be, and what makes it take effect. */
    public record Setting(String name, String value, String takesEffect, String why) {}

    /** Statements for a superuser, in order, in {@link #database()}. The role has no password yet: none of ours would be a secret. */
    public List<String> sql() {
        String name = quoted(role);
        return List.of(
                "CREATE ROLE " + name + " LOGIN REPLICATION",
                "GRANT CONNECT ON DATABASE " + quoted(database) + " TO " + name,
                "GRANT " + String.join(", ", GRANTED_ROLES) + " TO " + name,
                SourceSettings.FILE_SETTINGS.grants(name),
                SourceSettings.HBA_RULES.grants(name));
    }

    /** Lines for pg_hba.conf, before lines that match more. */
    public List<String> hba() {
        String type = encrypted ? "hostssl" : "host";
        return List.of(
                type + " replication " + quoted(role) + " ADDRESS/32 scram-sha-256",
                type + " " + quoted(database) + " " + quoted(role) + " ADDRESS/32 scram-sha-256");
    }

    public List<Setting> settings() {
        return List.of(
                new Setting("wal_level", "replica", "restart", "base backups need it"),
                new Setting(
                        "max_wal_senders",
                        FREE_SENDERS + " more than are in use",
                        "restart",
                        "each backup takes one, and wal-archive another"),
                new Setting(
                        "max_replication_slots",
                        FREE_SLOTS + " more than are in use",
                        "restart",
                        "each backup takes one, and wal-archive another on every node"),
                new Setting("summarize_wal", "on", "reload", "from PostgreSQL 17 on, for incremental backups"),
                new Setting(
                        "max_slot_wal_keep_size",
                        "-1",
                        "reload",
                        "a limit below the WAL of a backup's time ends it; max-retained limits what wal-archive keeps"));
    }

    static String quoted(String name) {
        return Identifiers.quoted(name);
    }
}
