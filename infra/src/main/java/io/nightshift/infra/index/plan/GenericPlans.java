package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.plan.GenericPlan.PassedOver;
import io.nightshift.infra.index.plan.GenericPlan.Planned;
import io.nightshift.infra.index.plan.GenericPlan.Reason;
import io.nightshift.infra.postgres.OneMessage;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.workload.Query;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Plans queries of {@code pg_stat_statements} for whatever constants they come with, by a forced generic plan. Each in a
 * transaction that may only read and is rolled back. The text is sent once, behind PREPARE and in {@link OneMessage}, so that no
 * command of its own can follow: it is never executed. {@code EXPLAIN (GENERIC_PLAN)} of PostgreSQL 16 would have to be sent by the
 * simple protocol, which takes several commands. Planning does call functions that are marked immutable or stable, as the role of
 * the session: {@link PlanTrust} says whether it may.
 */
public final class GenericPlans {

    private static final String NAME = "nightshift_plan";

    private static final String LIMITS = """
            SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '500ms'; SET LOCAL plan_cache_mode = force_generic_plan;
            SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off""";

    /** Where a constant stands behind the name of its type; the server itself replaces only the constant. */
    private static final Pattern TYPED = Pattern.compile(
            "(?i)\\b(interval|date|timestamp(?:tz)?|timetz|time|numeric|uuid|inet)\\s+(\\$\\d+)(?!\\d)");

    private static final Pattern SUMMAND = Pattern.compile("([-+*/%]\\s*)(\\$\\d+)(?!\\d|\\s*::)");

    private static final Set<String> UNCLEAR_TYPES = Set.of("42725", "42883", "42804", "42P08");

    private static final String INDETERMINATE_TYPE = "42P18";
    private static final Pattern CONSTANT = Pattern.compile("\\$\\d+");
    private static final int ATTEMPTS = 20;

    private static final String READ_ONLY = "25006";

    private final Connection session;
    private final Map<Long, String> paths = new HashMap<>();

    /** @param session in auto-commit mode, which it has again afterwards, on the database of the queries */
    public GenericPlans(Connection session) throws SQLException {
        this.session = session;
        try (Statement statement = session.createStatement()) {
            // Our own questions must not meet tables, functions or operators of others.
            statement.execute("SET search_path = pg_catalog");
        }
        leaveNoTraces();
    }

    /** The planner looks for the ends of indexes, which counts as scans of them; a role that may not say so leaves them. */
    private void leaveNoTraces() throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute("SET track_counts = off");
        } catch (SQLException refused) {
            if (!SqlStates.INSUFFICIENT_PRIVILEGE.equals(refused.getSQLState())) {
                throw refused;
            }
        }
    }

    public GenericPlan plan(Query query) throws SQLException {
        if (query.cut()) {
            return new PassedOver(Reason.CUT, "");
        }
        String text = TYPED.matcher(query.text().strip().replaceFirst(";+\\s*\\z", ""))
                .replaceAll("$2::$1");
        SQLException refusal = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                return new Planned(explain(text, query.user()));
            } catch (SQLException refused) {
                refusal = refusal == null ? refused : refusal;
                String clearer = clearer(text, refused);
                if (clearer.equals(text)) {
                    break;
                }
                text = clearer;
            } catch (IllegalArgumentException noPlan) {
                return new PassedOver(Reason.UNCLEAR, String.valueOf(noPlan.getMessage()));
            }
        }
        return passedOver(Objects.requireNonNull(refusal));
    }

    /** Says of what type a constant may be that the server could not tell; the text itself if that is not what it refuses. */
    private static String clearer(String text, SQLException refusal) {
        String state = String.valueOf(refusal.getSQLState());
        Matcher constant = CONSTANT.matcher(String.valueOf(refusal.getMessage()));
        if (state.equals(INDETERMINATE_TYPE) && constant.find()) {
            return text.replaceAll(
                    Pattern.quote(constant.group()) + "(?!\\d|\\s*::)", "\\" + constant.group() + "::text");
        }
        return UNCLEAR_TYPES.contains(state) ? SUMMAND.matcher(text).replaceAll("$1$2::integer") : text;
    }

    private PassedOver passedOver(SQLException refusal) throws SQLException {
        if (session.isClosed()) {
            throw refusal;
        }
        String state = String.valueOf(refusal.getSQLState());
        String detail = String.valueOf(refusal.getMessage()).lines().findFirst().orElse("");
        Reason reason = switch (state) {
            case SqlStates.INSUFFICIENT_PRIVILEGE -> Reason.DENIED;
            case SqlStates.LOCK_NOT_AVAILABLE -> Reason.LOCKED;
            case SqlStates.QUERY_CANCELED -> Reason.SLOW;
            case READ_ONLY -> Reason.WRITING;
            case "42601" -> Reason.NO_STATEMENT;
            default -> Reason.UNCLEAR;
        };
        return new PassedOver(reason, detail);
    }

    private PlanNode explain(String text, long user) throws SQLException {
        String path = paths.containsKey(user) ? paths.get(user) : path(user);
        paths.put(user, path);
        session.setAutoCommit(false);
        try {
            try (Statement statement = session.createStatement();
                    PreparedStatement looking =
                            session.prepareStatement("SELECT pg_catalog.set_config('search_path', ?, true)")) {
                statement.execute("SET TRANSACTION READ ONLY");
                statement.execute(LIMITS);
                looking.setString(1, path);
                looking.execute();
            }
            return PlanReader.read(String.valueOf(forced(text)));
        } finally {
            if (!session.isClosed()) {
                session.rollback();
                session.setAutoCommit(true);
            }
        }
    }

    /** With nulls for the constants, which would prune all partitions. */
    private @Nullable String forced(String text) throws SQLException {
        OneMessage.execute(session, "PREPARE " + NAME + " AS " + text);
        try (Statement statement = session.createStatement()) {
            statement.execute("SET LOCAL enable_partition_pruning = off");
            int constants;
            try (ResultSet row = statement.executeQuery("""
                    SELECT pg_catalog.cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements
                     WHERE name OPERATOR(pg_catalog.=) '%s'
                    """.formatted(NAME))) {
                row.next();
                constants = row.getInt(1);
            }
            String nulls = constants == 0 ? "" : "(" + "NULL, ".repeat(constants - 1) + "NULL)";
            return OneMessage.execute(session, "EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE " + NAME + nulls);
        } finally {
            deallocate();
        }
    }

    /** What is prepared outlives its transaction. */
    private void deallocate() throws SQLException {
        if (!session.isClosed()) {
            session.rollback();
            try (Statement statement = session.createStatement()) {
                statement.execute("DEALLOCATE " + NAME);
            }
        }
    }

    /** Where the role looks for names that have no schema, unless it says otherwise itself. */
    private String path(long user) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement("""
                SELECT replace(coalesce(
                         (SELECT substr(c, 13) FROM pg_db_role_setting s, unnest(s.setconfig) AS c
                           WHERE s.setrole IN (0, ?) AND s.setdatabase IN (0, d.oid) AND c LIKE 'search_path=%'
                           ORDER BY s.setrole <> 0 AND s.setdatabase <> 0 DESC, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC
                           LIMIT 1),
                         (SELECT reset_val FROM pg_settings WHERE name = 'search_path')),
                       '"$user"', coalesce((SELECT quote_ident(rolname) FROM pg_roles WHERE oid = ?), '""'))
                  FROM pg_database d WHERE d.datname = current_database()
                """)) {
            statement.setLong(1, user);
            statement.setLong(2, user);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        }
    }
}
