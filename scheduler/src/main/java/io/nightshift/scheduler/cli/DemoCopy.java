package io.nightshift.scheduler.cli;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.restore.KeptCopy;
import io.nightshift.infra.restore.LeasedCopy;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.scheduler.DemoCluster;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Optional;

/** What the demo does with the copy that its restore test has left: it asks the copy what it asks the source. */
final class DemoCopy {

    private static final String LARGEST = """
            SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
             ORDER BY pg_table_size(c.oid) DESC, c.relname LIMIT 1
            """;

    /**
     * What was seen.
     *
     * @param table the largest one
     */
    record Story(KeptCopy copy, String table, long rowsInCopy, long rowsInSource) {

        void tell(PrintWriter out) {
            out.println("Restored copy");
            out.printf(
                    "  of %s, until %s: PostgreSQL %s on 127.0.0.1 port %d%n",
                    copy.backup(), RunText.time(copy.until()), copy.version(), copy.port());
            out.printf("  in %s%n", copy.directory());
            out.printf("  %,d rows in %s, its largest table; %,d in the source%n", rowsInCopy, table, rowsInSource);
            out.println("  thrown away at the end of the demo");
            out.println();
        }
    }

    private DemoCopy() {}

    /** Empty if there is no copy. */
    static Optional<Story> use(RestoredCopies copies, DemoCluster demo, Instant now) {
        Optional<LeasedCopy> present = copies.present(DemoCluster.NAME, now);
        if (present.isEmpty()) {
            return Optional.empty();
        }
        try (LeasedCopy copy = present.get();
                Connection inCopy = copy.connect(DemoCluster.DATABASE);
                Connection inSource = demo.connect()) {
            String table = text(inCopy, LARGEST);
            String count = "SELECT count(*) FROM " + table;
            return Optional.of(new Story(
                    copy.copy(), table, Long.parseLong(text(inCopy, count)), Long.parseLong(text(inSource, count))));
        } catch (SQLException e) {
            throw SqlStates.failure("restored copy of cluster " + DemoCluster.NAME + " not read", e);
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }
}
