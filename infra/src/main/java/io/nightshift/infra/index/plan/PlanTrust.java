package io.nightshift.infra.index.plan;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;

/**
 * Whether others could have planning do something for them that they may not do themselves. The planner calls functions that are
 * marked immutable or stable to see what they give, whatever they really do, and reads views of others for some of them; all
 * with the rights of our role, and SET ROLE does not help, as a function can take it back. So a role that may do more than read what
 * it was granted plans only where nobody else may log in but superusers.
 */
public final class PlanTrust {

    /** The role of the login counts, and all that it may become. The monitoring roles read statistics and settings alone. */
    private static final String QUESTION = """
            SELECT format('role %s %s, and role %s may log in to this database', r.rolname, m.may, o.rolname)
              FROM pg_roles r
              CROSS JOIN LATERAL (
                  SELECT 1 AS first, 'is a superuser' AS may WHERE r.rolsuper
                  UNION ALL SELECT 2, 'has ' || a.name
                    FROM (VALUES (r.rolreplication, 'REPLICATION'), (r.rolbypassrls, 'BYPASSRLS'),
                                 (r.rolcreaterole, 'CREATEROLE'), (r.rolcreatedb, 'CREATEDB')) AS a (has, name) WHERE a.has
                  UNION ALL SELECT 3, 'is a member of ' || g.rolname FROM pg_roles g
                   WHERE NOT r.rolsuper AND g.oid <> r.oid AND pg_has_role(r.oid, g.oid, 'MEMBER')
                     AND g.rolname NOT IN ('pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables')
                  UNION ALL SELECT 4, 'was granted ' || p.proname FROM pg_proc p, aclexplode(p.proacl) AS g
                   WHERE p.pronamespace = 'pg_catalog'::regnamespace AND g.grantee = r.oid AND p.proowner <> r.oid) AS m
              CROSS JOIN pg_roles o
             WHERE r.rolname = session_user
               AND o.rolcanlogin AND NOT o.rolsuper AND o.oid <> r.oid
               AND has_database_privilege(o.oid, current_database(), 'CONNECT')
             ORDER BY m.first, m.may, o.rolname LIMIT 1
            """;

    private PlanTrust() {}

    /** Why nothing should be planned by the role of the session in its database; empty if it may. */
    public static Optional<String> doubt(Connection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(QUESTION)) {
            return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
        }
    }
}
