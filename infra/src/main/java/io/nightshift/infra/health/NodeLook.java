package io.nightshift.infra.health;

import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthReport.DatabaseSize;
import io.nightshift.infra.health.HealthResult.Fine;
import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.SqlCheck.Where;
import io.nightshift.infra.postgres.Capability;
import io.nightshift.infra.postgres.Capability.Lack;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.ClusterConnections;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The checks of one node, done on a thread of its own. Whoever waits for them can cut it, and takes what there is by then;
 * what was not done is not evaluated. Thread-safe.
 */
final class NodeLook {

    /** A check that is to be done here. */
    private record Planned(SqlCheck check, String subject) {}

    private final ClusterConnections connections;
    private final NodeAddress node;
    private final String purpose;
    private final HealthSettings settings;
    private final NodeCounters counters;
    private final Clock clock;

    private final Set<Planned> planned = new LinkedHashSet<>();
    private final List<HealthResult> results = new ArrayList<>();
    private List<DatabaseSize> databases = List.of();
    private @Nullable Connection connection;
    private @Nullable Connection inner;
    private @Nullable String cutFor;
    private String role = "";

    NodeLook(
            ClusterConnections connections,
            NodeAddress node,
            String purpose,
            HealthSettings settings,
            NodeCounters counters,
            Clock clock) {
        this.connections = connections;
        this.node = node;
        this.purpose = purpose;
        this.settings = settings;
        this.counters = counters;
        this.clock = clock;
    }

    /** Does the checks that concern this node; those of databases where it is the one primary. */
    void evaluate(Answered answered, ObservedCluster cluster, List<SqlCheck> checks, DatabaseSelection selection) {
        boolean primary = cluster.primary().filter(answered::equals).isPresent();
        plan(checks, answered, primary);
        try {
            HealthSession session = session(open(), answered, cluster);
            Optional<Lack> blind = session.facts().lack(Capability.MONITORING);
            if (blind.isPresent()) {
                finish(blind.get().fact() + ": " + blind.get().remedy());
                return;
            }
            evaluate(session, answered, checks);
            if (primary) {
                evaluateDatabases(session, selection);
            }
            finish("not done");
        } catch (NightshiftException refused) {
            finish(String.valueOf(refused.getMessage()));
        } catch (SQLException e) {
            finish(reason(e));
        } finally {
            close();
        }
    }

    private HealthSession session(Connection opened, Answered answered, ObservedCluster cluster) throws SQLException {
        HealthSession.limit(opened, settings);
        ServerFacts facts = connections.facts(node, opened);
        role = facts.role().identifier();
        return new HealthSession(opened, facts, counters, answered, cluster, settings, clock);
    }

    private synchronized void plan(List<SqlCheck> checks, Answered answered, boolean primary) {
        for (SqlCheck check : checks) {
            if (check.where() == Where.DATABASES ? primary : check.where().includes(answered)) {
                planned.add(new Planned(
                        check, check.where() == Where.DATABASES ? "databases of " + node : node.toString()));
            }
        }
    }

    private void evaluate(HealthSession session, Answered answered, List<SqlCheck> checks) throws SQLException {
        for (SqlCheck check : checks) {
            if (check.where() != Where.DATABASES && check.where().includes(answered)) {
                evaluate(new Planned(check, session.address()), session);
            }
        }
    }

    private void evaluate(Planned one, HealthSession session) throws SQLException {
        List<HealthResult> found;
        try {
            found = one.check().evaluate(session);
        } catch (SQLException e) {
            if (session.connection().isClosed()) {
                throw e;
            }
            found = List.of(new NotEvaluated(one.check().name(), one.subject(), reason(e)));
        } catch (RuntimeException e) {
            found = List.of(new NotEvaluated(one.check().name(), one.subject(), "unexpected " + e));
        }
        done(one, found.isEmpty() ? List.of(new Fine(one.check().name(), one.subject())) : found);
    }

    /** A database that may be looked into, or not. */
    private record Database(String name, boolean connectable) {}

    private void evaluateDatabases(HealthSession session, DatabaseSelection selection) throws SQLException {
        List<Database> all =
                session.query("""
                SELECT datname, has_database_privilege(oid, 'CONNECT') AS connectable
                FROM pg_database WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname
                """, row -> new Database(row.getString("datname"), row.getBoolean("connectable")));
        measure(session, all);
        List<Database> chosen = all.stream()
                .filter(database -> selection.includes(database.name()))
                .toList();
        List<SqlCheck> checks = planForEach(chosen);
        if (selection.only() != null) {
            selection.only().stream()
                    .filter(name ->
                            all.stream().noneMatch(database -> database.name().equals(name)))
                    .forEach(name -> checks.forEach(check -> done(
                            new Planned(check, "database " + name),
                            List.of(new NotEvaluated(check.name(), "database " + name, "there is no such database")))));
        }
        for (Database database : chosen) {
            List<Planned> here = checks.stream()
                    .map(check -> new Planned(check, "database " + database.name()))
                    .toList();
            if (!database.connectable()) {
                notEvaluated(
                        here,
                        "role " + role + " may not connect: GRANT CONNECT ON DATABASE "
                                + Identifiers.quoted(database.name()) + " TO " + role);
            } else if (database.name().equals(session.database())) {
                for (Planned one : here) {
                    evaluate(one, session);
                }
            } else {
                evaluateIn(database.name(), session, here);
            }
        }
    }

    private void evaluateIn(String database, HealthSession session, List<Planned> here) {
        try (Connection inside = connections.direct(node, database, purpose)) {
            use(inside);
            HealthSession there = session(inside, session.node(), session.cluster());
            for (Planned one : here) {
                evaluate(one, there);
            }
        } catch (NightshiftException refused) {
            notEvaluated(here, String.valueOf(refused.getMessage()));
        } catch (SQLException e) {
            notEvaluated(here, reason(e));
        }
    }

    /** Sizes are worth knowing; a server that needs long for them is not kept waiting. */
    private void measure(HealthSession session, List<Database> all) throws SQLException {
        try {
            List<DatabaseSize> measured =
                    session.query("""
                    SELECT datname, pg_database_size(oid) AS bytes
                    FROM pg_database WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY 2 DESC
                    """, row -> new DatabaseSize(row.getString("datname"), row.getLong("bytes")));
            keep(measured);
        } catch (SQLException e) {
            if (session.connection().isClosed()) {
                throw e;
            }
            keep(all.stream()
                    .map(database -> new DatabaseSize(database.name(), null))
                    .toList());
        }
    }

    private synchronized void keep(List<DatabaseSize> measured) {
        databases = measured;
    }

    /** Now that the databases are known, each check is to be done in each. */
    private synchronized List<SqlCheck> planForEach(List<Database> chosen) {
        List<SqlCheck> checks = planned.stream()
                .map(Planned::check)
                .filter(check -> check.where() == Where.DATABASES)
                .toList();
        planned.removeIf(one -> one.check().where() == Where.DATABASES);
        chosen.forEach(database ->
                checks.forEach(check -> planned.add(new Planned(check, "database " + database.name()))));
        return checks;
    }

    private synchronized void done(Planned one, List<HealthResult> found) {
        if (cutFor == null) {
            planned.remove(one);
            results.addAll(found);
        }
    }

    private synchronized void notEvaluated(List<Planned> several, String reason) {
        // Those that were done before the session was lost stay.
        several.stream()
                .filter(planned::contains)
                .forEach(one -> done(one, List.of(new NotEvaluated(one.check().name(), one.subject(), reason))));
    }

    private synchronized void finish(String reason) {
        notEvaluated(List.copyOf(planned), reason);
    }

    /** Ends its work wherever it is; what is not done by now is not evaluated for this reason. */
    synchronized void cut(String reason) {
        finish(reason);
        cutFor = reason;
        close();
    }

    synchronized List<HealthResult> results() {
        return List.copyOf(results);
    }

    synchronized List<DatabaseSize> databases() {
        return databases;
    }

    private Connection open() {
        Connection opened = connections.direct(node, connections.cluster().database(), purpose);
        use(opened);
        synchronized (this) {
            connection = opened;
        }
        return opened;
    }

    /** Lets a cut reach it. */
    private synchronized void use(Connection opened) {
        inner = opened;
        if (cutFor != null) {
            abort(opened);
        }
    }

    private synchronized void close() {
        abort(connection);
        abort(inner);
    }

    private static void abort(@Nullable Connection opened) {
        try {
            if (opened != null) {
                opened.abort(Runnable::run);
            }
        } catch (SQLException gone) {
            // it is closed, which is what was wanted
        }
    }

    private String reason(SQLException e) {
        ServerNotice notice = ServerNotice.of(e);
        return switch (notice.sqlState()) {
            case "57014" -> "took longer than query-limit (" + Durations.print(settings.queryLimit()) + ")";
            case "55P03" -> "waited for a lock longer than lock-limit (" + Durations.print(settings.lockLimit()) + ")";
            case SqlStates.INSUFFICIENT_PRIVILEGE -> notice.text() + ": GRANT pg_monitor TO " + role;
            default -> String.valueOf(SqlStates.failure("node " + node, e).getMessage());
        };
    }
}
