package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * What plain SQL tells of the server that a backup is taken from, which the replication protocol does not.
 *
 * @param hidesTablespaces PostgreSQL 15 announces no in-place tablespaces, and with a tablespace map it sends none of
 *     their files either: without a word, their tables would be lost. Without the map they come in base.tar
 */
record SourceServer(PostgresVersion version, boolean inRecovery, boolean hidesTablespaces, SourceSettings settings) {

    private static final int HIDES_IN_PLACE_TABLESPACES = 15;

    /** Asks, and reports what it may not see. */
    static SourceServer of(Connection session, RunContext run, PostgresVersion version) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT pg_is_in_recovery(), current_user,
                               EXISTS (SELECT FROM pg_tablespace
                                       WHERE pg_tablespace_location(oid) LIKE 'pg\\_tblspc/%')
                        """)) {
            row.next();
            SourceSettings settings = SourceSettings.of(session);
            settings.finding(run.cluster(), row.getString(2)).ifPresent(run::report);
            return new SourceServer(
                    version,
                    row.getBoolean(1),
                    version.major() <= HIDES_IN_PLACE_TABLESPACES && row.getBoolean(3),
                    settings);
        }
    }

    BackupDocument.Source document(List<SourceDamage> damage) {
        return new BackupDocument.Source(
                version.toString(), inRecovery, damage, settings.settings(), settings.fileSettings(), settings.hba());
    }
}
