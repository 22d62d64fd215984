package io.nightshift.infra.index.plan;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;

/**
 * Whether others could have functions of theirs called with rights of ours. The planner calls functions that are marked immutable or
 * stable to see what they give, whatever they really do; so whoever may create a function could make us act for him.
 */
public final class PlanTrust {

    private static final String QUESTION = """
            SELECT format('function %s belongs to role %s, and role %s %s', p.oid::regprocedure, o.rolname, r.rolname,
                          CASE WHEN r.rolsuper THEN 'is a superuser' WHEN r.rolreplication THEN 'may replicate'
                               ELSE 'may write files of the server or run its programs' END)
              FROM pg_roles r, pg_proc p JOIN pg_roles o ON o.oid = p.proowner
             WHERE r.rolname = current_user
               AND (r.rolsuper OR r.rolreplication OR pg_has_role('pg_execute_server_program', 'USAGE')
                    OR pg_has_role('pg_write_server_files', 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))
               AND NOT o.rolsuper AND o.oid <> r.oid AND p.prokind <> 'p'
               AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
             ORDER BY p.oid LIMIT 1
            """;

    private PlanTrust() {}

    /** Why nothing should be planned in the database of the session; empty if it may. */
    public static Optional<String> doubt(Connection session) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(QUESTION)) {
            return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
        }
    }
}
