package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Extensions whose objects are older than the files that are installed, as after an upgrade of the server. */
final class ExtensionsCheck extends SqlCheck {

    private record Extension(String name, String quoted, String installed, String available) {}

    ExtensionsCheck() {
        super("extensions", Where.DATABASES, "an extension has another version than is installed");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT name, quote_ident(name) AS quoted, installed_version, default_version
                        FROM pg_available_extensions WHERE installed_version <> default_version ORDER BY name
                        """,
                        row -> new Extension(
                                row.getString("name"),
                                row.getString("quoted"),
                                row.getString("installed_version"),
                                row.getString("default_version")))
                .stream()
                .<HealthResult>map(extension -> warning(
                        "extension " + extension.name() + session.inDatabase(),
                        "has version " + extension.installed() + ", the server's files have " + extension.available(),
                        "in database " + session.database() + ": ALTER EXTENSION " + extension.quoted() + " UPDATE"))
                .toList();
    }
}
