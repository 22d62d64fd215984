package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.RunContext;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The databases of a primary whose indexes are looked at, in the order of their names. */
final class Databases {

    private Databases() {}

    static List<String> of(ManagedNode primary, DatabaseSelection selection, RunContext run) {
        try {
            return IndexSession.use(primary.direct(run.purpose()), run.cancellation(), session -> {
                List<String> names = new ArrayList<>();
                try (Statement statement = session.createStatement();
                        ResultSet row = statement.executeQuery("""
                            SELECT datname FROM pg_database
                             WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname
                            """)) {
                    while (row.next()) {
                        names.add(row.getString(1));
                    }
                }
                return names.stream().filter(selection::includes).toList();
            });
        } catch (SQLException e) {
            run.cancellation().check();
            throw SqlStates.failure("databases of " + primary.address() + " not listed", e);
        }
    }
}
