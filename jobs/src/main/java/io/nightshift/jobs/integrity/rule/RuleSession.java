package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.OneStatement;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.jobs.integrity.CheckSession;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A session for statements of others. Each is one statement, in a transaction that only reads, sees one state of the
 * database, and is rolled back.
 */
final class RuleSession implements AutoCloseable {

    /** The same everywhere, so that the same values are the same text. */
    private static final List<String> PREAMBLE = List.of(
            "SET TimeZone = 'UTC'",
            "SET DateStyle = 'ISO, YMD'",
            "SET IntervalStyle = 'postgres'",
            "SET bytea_output = 'hex'",
            "SET extra_float_digits = 1");

    /** The locks of a transaction tell what it has read, in functions and partitions too. */
    private static final String NOT_COPIED = """
            SELECT format('%I.%I is %s', n.nspname, c.relname,
                          CASE c.relkind WHEN 'f' THEN 'a foreign table, whose rows are not in a backup'
                                         ELSE 'unlogged, and so empty in a restored copy' END)
              FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid()
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND (c.relkind = 'f' OR c.relkind IN ('r', 'm') AND c.relpersistence = 'u')
             ORDER BY 1 LIMIT 1
            """;

    /**
     * What one can become with SET ROLE counts: {@code set_config} does that too. A transaction that only reads does not keep
     * anybody from making or dropping replication slots, or from writing WAL with such functions.
     */
    private static final String MIGHT = """
            SELECT CASE WHEN r.rolsuper AND r.rolname = session_user THEN 'a superuser'
                        WHEN r.rolsuper THEN format('a member of superuser %s', r.rolname)
                        WHEN r.rolname = session_user THEN 'one with REPLICATION'
                        WHEN r.rolreplication THEN format('a member of %s, which has REPLICATION', r.rolname)
                        ELSE format('a member of %s', r.rolname) END
              FROM pg_roles r
             WHERE pg_has_role(session_user, r.oid, 'MEMBER')
               AND CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN r.rolname = session_user
                        ELSE r.rolsuper OR r.rolreplication OR r.rolname IN ('pg_write_server_files', 'pg_execute_server_program',
                                 'pg_signal_backend', 'pg_read_server_files', 'pg_signal_autovacuum_worker') END
            UNION ALL
            SELECT format('allowed to call %s', p.proname) FROM pg_proc p
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(session_user, p.oid, 'EXECUTE')
               AND (p.proname IN ('lo_export', 'lo_import', 'pg_read_file', 'pg_read_binary_file', 'pg_file_write',
                            'pg_file_rename', 'pg_file_unlink', 'pg_reload_conf', 'pg_rotate_logfile', 'pg_promote',
                            'pg_switch_wal', 'pg_create_restore_point', 'pg_wal_replay_pause', 'pg_wal_replay_resume',
                            'pg_start_backup', 'pg_stop_backup', 'pg_backup_start', 'pg_backup_stop')
                    OR p.proname ~ '^pg_(stat_reset|replication_origin)')
             ORDER BY 1 LIMIT 1
            """;

    private final CheckSession session;
    private final String database;
    private List<String> path = List.of();
    private long until;

    private RuleSession(CheckSession session, String database) {
        this.session = session;
        this.database = database;
    }

    /** A session on a node, by the role of the rules if they have one. */
    static Connection connect(ManagedNode node, String database, String purpose, @Nullable RuleLogin login) {
        return login == null ? node.direct(database, purpose) : node.direct(database, purpose, login);
    }

    static RuleSession of(Connection connection, String database, Cancellation cancellation) throws SQLException {
        var session = new RuleSession(CheckSession.of(connection, cancellation), database);
        boolean ready = false;
        try {
            for (String setting : PREAMBLE) {
                session.session.execute(setting);
            }
            ready = true;
            return session;
        } finally {
            if (!ready) {
                session.close();
            }
        }
    }

    String database() {
        return database;
    }

    int process() throws SQLException {
        return session.process();
    }

    /** The session's role, and what it is that no statement of others may be asked as; empty if it is weak enough. */
    Optional<String> tooMighty() throws SQLException {
        return session.rows("SELECT session_user, might FROM (" + MIGHT + ") AS found (might)").stream()
                .map(row -> "role " + row.get(0) + " is " + row.get(1))
                .findFirst();
    }

    /** What is asked in one state of the database. */
    @FunctionalInterface
    interface Asking<T> {
        T ask() throws SQLException;
    }

    /**
     * Asks, all together no longer than that.
     *
     * @param table whose schema is looked through too, behind pg_catalog, besides public; null for none
     */
    <T> T inOneState(Duration limit, @Nullable TableName table, Asking<T> asking) throws SQLException {
        until = System.nanoTime() + limit.toNanos();
        path = new ArrayList<>(List.of("pg_catalog"));
        if (table != null) {
            path.add(Objects.requireNonNull(table.schema()));
        }
        path.add("public");
        session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        T answer;
        try {
            answer = asking.ask();
        } catch (SQLException | RuntimeException failed) {
            try {
                end();
            } catch (SQLException | RuntimeException lost) {
                failed.addSuppressed(lost);
            }
            throw failed;
        }
        end();
        return answer;
    }

    /** Whatever a statement has set or locked is undone. */
    private void end() throws SQLException {
        session.execute("ROLLBACK");
        session.limit(Duration.ofSeconds(10));
        session.rows("SELECT pg_advisory_unlock_all()");
    }

    /** Asks what may hold the words of others. */
    List<List<@Nullable String>> rows(String sql) throws SQLException {
        OneStatement.require(sql);
        long left = until - System.nanoTime();
        if (left <= 0) {
            throw new SQLException("the time is over", "57014");
        }
        // Anew each time: a statement may have set it otherwise.
        session.execute("SET LOCAL statement_timeout = " + Math.max(1, left / 1_000_000));
        session.execute("SET LOCAL standard_conforming_strings = on");
        session.execute("SET LOCAL row_security = off");
        session.execute("SET LOCAL constraint_exclusion = off");
        session.execute("SET LOCAL search_path = "
                + path.stream().distinct().map(Identifiers::quoted).collect(Collectors.joining(", ")));
        return session.rows(sql);
    }

    /** What the present transaction has read that a restored copy has no rows of. */
    Optional<String> notCopied() throws SQLException {
        return rows(NOT_COPIED).stream()
                .flatMap(List::stream)
                .map(Objects::requireNonNull)
                .findFirst();
    }

    @Override
    public void close() throws SQLException {
        session.close();
    }
}
