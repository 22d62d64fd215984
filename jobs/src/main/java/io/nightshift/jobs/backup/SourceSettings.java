package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument.FileSetting;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The source's settings, as far as the role may see them: a restore needs those that lie outside the data directory.
 * Secrets in them are masked.
 *
 * @param hidden what the role may not see
 */
record SourceSettings(
        Map<String, String> settings, List<FileSetting> fileSettings, List<String> hba, List<View> hidden) {

    static final View FILE_SETTINGS = new View("pg_file_settings", "pg_show_all_file_settings()");
    static final View HBA_RULES = new View("pg_hba_file_rules", "pg_hba_file_rules()");

    /** A view that only superusers may read at first, and the function under it; grants hold in one database. */
    record View(String name, String function) {

        String grants(String role) {
            return "GRANT SELECT ON " + name + " TO " + role + "; GRANT EXECUTE ON FUNCTION " + function + " TO "
                    + role;
        }
    }

    static SourceSettings of(Connection connection) throws SQLException {
        List<View> hidden = new ArrayList<>();
        return new SourceSettings(
                settings(connection), fileSettings(connection, hidden), hba(connection, hidden), List.copyOf(hidden));
    }

    /** Tells what could not be stored, and how to let us see it. */
    Optional<Finding> finding(String cluster, String role) {
        return hidden.isEmpty()
                ? Optional.empty()
                : Optional.of(new Finding(
                        "backup/source/hidden-settings",
                        Severity.INFO,
                        "server of cluster " + cluster,
                        "role " + role + " may not read "
                                + hidden.stream().map(View::name).collect(Collectors.joining(" and "))
                                + ": the backup does not hold these settings",
                        hidden.stream()
                                .map(view -> view.grants(Identifiers.quoted(role)))
                                .collect(Collectors.joining("; "))));
    }

    private static Map<String, String> settings(Connection connection) throws SQLException {
        Map<String, String> settings = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                        SELECT name, coalesce(current_setting(name), '') AS setting
                        FROM pg_settings
                        WHERE setting IS DISTINCT FROM boot_val AND source NOT IN ('client', 'session', 'default')
                           OR name = 'data_checksums'
                        ORDER BY name
                        """)) {
            while (rows.next()) {
                settings.put(rows.getString(1), MaskedSettings.masked(rows.getString(1), rows.getString(2)));
            }
        }
        return settings;
    }

    private static List<FileSetting> fileSettings(Connection connection, List<View> hidden) throws SQLException {
        List<FileSetting> settings = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                        SELECT sourcefile, sourceline, name, coalesce(setting, '')
                        FROM pg_file_settings WHERE name IS NOT NULL ORDER BY seqno
                        """)) {
            while (rows.next()) {
                settings.add(new FileSetting(
                        rows.getString(1),
                        rows.getInt(2),
                        rows.getString(3),
                        MaskedSettings.masked(rows.getString(3), rows.getString(4))));
            }
        } catch (SQLException e) {
            noteHidden(e, FILE_SETTINGS, hidden);
        }
        return settings;
    }

    /** Rebuilt from its parts; a line that the server could not read is left out, as the server leaves it out. */
    private static List<String> hba(Connection connection, List<View> hidden) throws SQLException {
        List<String> lines = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                        SELECT type, database, user_name, address, netmask, auth_method, coalesce(options, '{}')
                        FROM pg_hba_file_rules WHERE error IS NULL ORDER BY line_number
                        """)) {
            while (rows.next()) {
                lines.add(HbaLine.of(
                        rows.getString(1),
                        texts(rows, 2),
                        texts(rows, 3),
                        rows.getString(4),
                        rows.getString(5),
                        rows.getString(6),
                        texts(rows, 7)));
            }
        } catch (SQLException e) {
            noteHidden(e, HBA_RULES, hidden);
        }
        return lines;
    }

    private static String[] texts(ResultSet row, int column) throws SQLException {
        return (String[]) row.getArray(column).getArray();
    }

    private static void noteHidden(SQLException e, View view, List<View> hidden) throws SQLException {
        if (!SqlStates.INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) {
            throw e;
        }
        hidden.add(view);
    }
}
