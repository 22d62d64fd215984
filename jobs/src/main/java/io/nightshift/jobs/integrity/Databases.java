package io.nightshift.jobs.integrity;

import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.restore.LeasedCopy;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Which databases of a server are looked at. */
final class Databases {

    private Databases() {}

    static List<String> of(JudgedServer server, ManagedCluster cluster, RunContext run) {
        if (server instanceof JudgedServer.Copy there) {
            LeasedCopy copy = there.copy();
            return copy.databases().stream()
                    .filter(cluster.config().databases()::includes)
                    .toList();
        }
        return of(((JudgedServer.Node) server).node(), cluster, run);
    }

    /** Those that nobody can look at, and that are no template of PostgreSQL's own. */
    private static void leftOut(CheckSession session, ManagedCluster cluster, RunContext run) throws SQLException {
        for (List<@Nullable String> row : session.rows("""
                SELECT datname FROM pg_database
                 WHERE NOT (datallowconn AND NOT datistemplate) AND datname NOT IN ('template0', 'template1') ORDER BY 1
                """)) {
            String database = Objects.requireNonNull(row.get(0));
            if (cluster.config().databases().includes(database)) {
                run.notEvaluated(new NotEvaluated(
                        "database " + database,
                        "it is a template or takes no connections, and is not looked at",
                        keys(database)));
            }
        }
    }

    /** Of all that could be found in it. */
    private static List<String> keys(String database) {
        return Stream.concat(
                        Stream.of(Check.values()).map(check -> Target.KEY + check + "/" + database + "."),
                        Stream.of(CatalogCheck.values()).map(check -> check.keys(database)))
                .toList();
    }

    /** All that there are, also those that nobody can look at. */
    static Set<String> all(ManagedNode node, RunContext run) {
        try (CheckSession session = CheckSession.of(node.direct(run.purpose()), run.cancellation())) {
            return session.rows("SELECT datname FROM pg_database").stream()
                    .map(row -> Objects.requireNonNull(row.get(0)))
                    .collect(Collectors.toSet());
        } catch (SQLException e) {
            throw SqlStates.failure("databases of " + node.address() + " not listed", e);
        }
    }

    static List<String> of(ManagedNode node, ManagedCluster cluster, RunContext run) {
        try (CheckSession session = CheckSession.of(node.direct(run.purpose()), run.cancellation())) {
            leftOut(session, cluster, run);
            return session
                    .rows("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1")
                    .stream()
                    .map(row -> Objects.requireNonNull(row.get(0)))
                    .filter(cluster.config().databases()::includes)
                    .toList();
        } catch (SQLException e) {
            throw SqlStates.failure("databases of " + node.address() + " not listed", e);
        }
    }
}
