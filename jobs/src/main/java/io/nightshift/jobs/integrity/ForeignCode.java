package io.nightshift.jobs.integrity;

import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Code of others that a look at rows may call: functions in constraints and indexes, those behind casts and domains, and what
 * built-in functions read for them. Where our role may run programs, read files or end sessions, and somebody may log in who may
 * not, only what cannot call any is looked at on a node.
 *
 * @param doubt what is wrong with our role; null if nothing is
 * @param tables with columns of types that are not built in, or that refer to such ones
 * @param computed tables with unique indexes of expressions, or of some rows
 */
record ForeignCode(@Nullable String doubt, Set<Long> tables, Set<Long> computed) {

    static final ForeignCode HARMLESS = new ForeignCode(null, Set.of(), Set.of());

    private static final String DOUBT = """
            SELECT format('our role %s is %s, and role %s may log in: its functions would run with our rights; let a role look that'
                          ' is none', session_user,
                          CASE WHEN g.rolname = session_user THEN 'a superuser' ELSE 'a member of ' || g.rolname END, o.rolname)
              FROM pg_roles g CROSS JOIN pg_roles o
             WHERE pg_has_role(session_user, g.oid, 'MEMBER')
               AND (g.rolsuper AND (g.rolname = session_user OR NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user))
                    OR NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
                       AND g.rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_signal_backend'))
               AND o.rolcanlogin AND NOT o.rolsuper AND o.rolname <> session_user
               AND has_database_privilege(o.oid, current_database(), 'CONNECT')
             ORDER BY g.rolname <> session_user, g.rolname, o.rolname LIMIT 1
            """;

    private static final String TABLES = """
            WITH odd AS (
                SELECT DISTINCT a.attrelid AS oid
                  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
                 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm')
                   AND (y.typnamespace <> 'pg_catalog'::regnamespace OR y.typtype <> 'b'))
            SELECT oid::bigint FROM odd
            UNION
            SELECT k.conrelid::bigint FROM pg_constraint k JOIN odd ON odd.oid = k.confrelid WHERE k.contype = 'f'
            """;

    private static final String COMPUTED = """
            SELECT DISTINCT indrelid::bigint FROM pg_index WHERE indisunique AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
            """;

    static ForeignCode of(CheckSession session) throws SQLException {
        Optional<String> doubt = session.text(DOUBT);
        return doubt.isEmpty()
                ? HARMLESS
                : new ForeignCode(doubt.get(), numbers(session, TABLES), numbers(session, COMPUTED));
    }

    private static Set<Long> numbers(CheckSession session, String question) throws SQLException {
        Set<Long> numbers = new HashSet<>();
        for (List<@Nullable String> row : session.rows(question)) {
            numbers.add(Long.valueOf(String.valueOf(row.get(0))));
        }
        return numbers;
    }

    /** The target, or why it is not looked at. */
    Target without(Target target) {
        if (doubt == null || target.gap() != null) {
            return target;
        }
        boolean mayCall = switch (target.check()) {
            case FOREIGN_KEY, NOT_NULL -> tables.contains(target.relation());
            case UNIQUE -> tables.contains(target.relation()) || computed.contains(target.relation());
            default -> !target.check().looksForDamage();
        };
        return mayCall ? target.lacking(doubt) : target;
    }
}
