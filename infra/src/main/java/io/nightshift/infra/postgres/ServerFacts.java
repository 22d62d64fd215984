package io.nightshift.infra.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a server is, and what it lets our role do, seen from one of its databases.
 *
 * @param settings that the role may see, by name
 * @param extensions that are installed in the database, or could be, by name
 */
public record ServerFacts(
        PostgresVersion version,
        boolean inRecovery,
        String database,
        Role role,
        Map<String, Setting> settings,
        Map<String, Extension> extensions) {

    private static final String SERVER = """
            SELECT current_setting('server_version_num') AS version,
                   pg_is_in_recovery() AS in_recovery,
                   current_database() AS database,
                   rolname,
                   quote_ident(rolname) AS identifier,
                   rolreplication OR rolsuper AS replicates,
                   ARRAY(SELECT rolname::text FROM pg_roles
                         WHERE starts_with(rolname, 'pg_') AND pg_has_role(oid, 'USAGE')) AS member_of
            FROM pg_roles WHERE rolname = current_user
            """;

    /** As they hold without what this session has set itself. */
    private static final String SETTINGS = "SELECT name, reset_val, source FROM pg_settings";

    private static final String EXTENSIONS = """
            SELECT coalesce(e.extname, a.name) AS name, e.extversion AS installed, a.default_version AS available,
                   n.nspname AS schema,
                   ARRAY(SELECT format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
                         FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
                              JOIN pg_namespace s ON s.oid = p.pronamespace
                         WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                           AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
                           AND NOT (has_function_privilege(p.oid, 'EXECUTE')
                                    AND has_schema_privilege(p.pronamespace, 'USAGE'))) AS withheld
            FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                 FULL JOIN pg_available_extensions a ON a.name = e.extname
            """;

    /**
     * Who we are there.
     *
     * @param identifier the name as SQL wants it
     * @param predefined the predefined roles whose privileges it has, such as {@code pg_monitor}
     */
    public record Role(String name, String identifier, boolean mayReplicate, Set<String> predefined) {

        public Role {
            predefined = Set.copyOf(predefined);
        }

        /** Whether it has the privileges of a predefined role. */
        public boolean has(String predefinedRole) {
            return predefined.contains(predefinedRole);
        }
    }

    /**
     * A setting as sessions of our role find it ({@code pg_settings}).
     *
     * @param value in the setting's own unit; null for none
     * @param source such as {@code configuration file}, or {@code user} where it holds for our role only
     */
    public record Setting(@Nullable String value, String source) {}

    /**
     * An extension.
     *
     * @param installed version in the database; null when it is not
     * @param available version of the server's files; null when there are none
     * @param schema that holds its objects; null when it is not installed
     * @param withheld its functions that the role may not call, such as {@code public.bt_index_check(regclass)}
     */
    public record Extension(
            @Nullable String installed,
            @Nullable String available,
            @Nullable String schema,
            Set<String> withheld) {

        public Extension {
            withheld = Set.copyOf(withheld);
        }
    }

    public ServerFacts {
        settings = Map.copyOf(settings);
        extensions = Map.copyOf(extensions);
    }

    /** Asks over a session in the database, whatever its limits are. */
    public static ServerFacts of(Connection session) throws SQLException {
        try (Statement statement = session.createStatement()) {
            Map<String, Setting> settings = settings(statement);
            Map<String, Extension> extensions = extensions(statement);
            try (ResultSet row = statement.executeQuery(SERVER)) {
                row.next();
                return new ServerFacts(
                        PostgresVersion.parse(row.getString("version")),
                        row.getBoolean("in_recovery"),
                        row.getString("database"),
                        new Role(
                                row.getString("rolname"),
                                row.getString("identifier"),
                                row.getBoolean("replicates"),
                                texts(row, "member_of")),
                        settings,
                        extensions);
            }
        }
    }

    private static Map<String, Setting> settings(Statement statement) throws SQLException {
        Map<String, Setting> settings = new HashMap<>();
        try (ResultSet rows = statement.executeQuery(SETTINGS)) {
            while (rows.next()) {
                settings.put(
                        rows.getString("name"), new Setting(rows.getString("reset_val"), rows.getString("source")));
            }
        }
        return settings;
    }

    private static Map<String, Extension> extensions(Statement statement) throws SQLException {
        Map<String, Extension> extensions = new HashMap<>();
        try (ResultSet rows = statement.executeQuery(EXTENSIONS)) {
            while (rows.next()) {
                extensions.put(
                        rows.getString("name"),
                        new Extension(
                                rows.getString("installed"),
                                rows.getString("available"),
                                rows.getString("schema"),
                                texts(rows, "withheld")));
            }
        }
        return extensions;
    }

    private static Set<String> texts(ResultSet row, String column) throws SQLException {
        return Set.of((String[]) row.getArray(column).getArray());
    }

    /** A setting's value; empty where the server has no such setting or hides it from the role. */
    public Optional<String> setting(String name) {
        return Optional.ofNullable(settings.get(name)).map(Setting::value);
    }

    /** Whether a setting is {@code on}. */
    public boolean isOn(String name) {
        return setting(name).filter("on"::equals).isPresent();
    }

    /** A number that every server shows everybody, in the setting's own unit. */
    public long number(String name) {
        return setting(name)
                .map(Long::parseLong)
                .orElseThrow(() -> new IllegalArgumentException("no setting " + name + " to be seen"));
    }

    /** Whether an extension is installed and lets the role call this function of it. */
    public boolean mayCall(String extension, String function) {
        Extension known = extensions.get(extension);
        return known != null
                && known.installed() != null
                && known.withheld().stream().noneMatch(withheld -> withheld.contains("." + function + "("));
    }

    /** Why something cannot be done there; empty when it can. */
    public Optional<Capability.Lack> lack(Capability capability) {
        return capability.lackIn(this);
    }
}
