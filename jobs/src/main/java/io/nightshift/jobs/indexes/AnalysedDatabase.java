package io.nightshift.jobs.indexes;

import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.RunContext;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A database whose queries are looked at. */
record AnalysedDatabase(long oid, String name) {

    static List<AnalysedDatabase> of(ManagedCluster cluster, ManagedNode node, RunContext run) {
        try {
            return IndexSession.use(node.direct(run.purpose()), run.cancellation(), session -> {
                List<AnalysedDatabase> databases = new ArrayList<>();
                try (Statement statement = session.createStatement();
                        ResultSet row = statement.executeQuery("""
                            SELECT oid, datname FROM pg_database
                             WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname
                            """)) {
                    while (row.next()) {
                        databases.add(new AnalysedDatabase(row.getLong("oid"), row.getString("datname")));
                    }
                }
                return databases.stream()
                        .filter(database -> cluster.config().databases().includes(database.name()))
                        .toList();
            });
        } catch (SQLException e) {
            run.cancellation().check();
            throw SqlStates.failure("databases of " + node.address() + " not listed", e);
        }
    }
}
