package io.nightshift.infra.workload;

import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.RunContext;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import javax.sql.DataSource;

/** The tables {@code statement_snapshot}, {@code statement_text} and {@code statement_plan} of the control database. */
public final class StoredStatements implements StatementBook {

    private final DataSource controlDatabase;

    public StoredStatements(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    /** Of a cluster that begins anew under its name. */
    public void forget(String cluster) {
        try (Connection connection = controlDatabase.getConnection()) {
            for (String table : List.of("statement_snapshot", "statement_text", "statement_plan")) {
                try (PreparedStatement delete =
                        connection.prepareStatement("DELETE FROM " + table + " WHERE cluster = ?")) {
                    delete.setString(1, cluster);
                    delete.executeUpdate();
                }
            }
        } catch (SQLException e) {
            throw SqlStates.failure("what was counted of the statements of cluster " + cluster + " not forgotten", e);
        }
    }

    @Override
    public List<StatementSnapshot> snapshots(String cluster) {
        return read(
                """
                SELECT node, series, at, evicted, whole, databases, queries, users, toplevel, since, calls, milliseconds,
                       row_counts, blocks
                  FROM statement_snapshot WHERE cluster = ? ORDER BY at, node
                """,
                cluster,
                row -> new StatementSnapshot(
                        row.getString("node"),
                        row.getString("series"),
                        row.getTimestamp("at").toInstant(),
                        row.getLong("evicted"),
                        row.getBoolean("whole"),
                        counts(row)));
    }

    private static List<StatementCount> counts(ResultSet row) throws SQLException {
        Long[] databases = array(row, "databases", Long[].class);
        Long[] queries = array(row, "queries", Long[].class);
        Long[] users = array(row, "users", Long[].class);
        Boolean[] toplevel = array(row, "toplevel", Boolean[].class);
        String[] since = array(row, "since", String[].class);
        Long[] calls = array(row, "calls", Long[].class);
        Double[] milliseconds = array(row, "milliseconds", Double[].class);
        Long[] rows = array(row, "row_counts", Long[].class);
        Long[] blocks = array(row, "blocks", Long[].class);
        List<StatementCount> counts = new ArrayList<>();
        for (int i = 0; i < queries.length; i++) {
            counts.add(new StatementCount(
                    new StatementKey(new StatementName(databases[i], queries[i]), users[i], toplevel[i]),
                    since[i],
                    calls[i],
                    milliseconds[i],
                    rows[i],
                    blocks[i]));
        }
        return counts;
    }

    private static <T> T array(ResultSet row, String column, Class<T> type) throws SQLException {
        return type.cast(row.getArray(column).getArray());
    }

    @Override
    public Map<StatementName, StatementText> texts(String cluster) {
        Map<StatementName, StatementText> texts = new HashMap<>();
        read(
                "SELECT database, query, content, cut FROM statement_text WHERE cluster = ?",
                cluster,
                row -> texts.put(
                        new StatementName(row.getLong("database"), row.getLong("query")),
                        new StatementText(row.getString("content"), row.getBoolean("cut"))));
        return texts;
    }

    @Override
    public List<KeptPlan> plans(String cluster) {
        return read(
                """
                SELECT database, query, digest, content, first_seen, last_seen FROM statement_plan
                 WHERE cluster = ? ORDER BY first_seen, digest
                """,
                cluster,
                row -> new KeptPlan(
                        new StatementName(row.getLong("database"), row.getLong("query")),
                        row.getString("digest"),
                        row.getString("content"),
                        row.getTimestamp("first_seen").toInstant(),
                        row.getTimestamp("last_seen").toInstant()));
    }

    @Override
    public void keep(
            RunContext run, StatementSnapshot snapshot, Map<StatementName, StatementText> texts, Instant notBefore) {
        write(run, "statements of node " + snapshot.node(), connection -> {
            insert(connection, run.cluster(), snapshot);
            insert(connection, run.cluster(), texts, snapshot.at());
            for (String forget : List.of(
                    "DELETE FROM statement_snapshot WHERE cluster = ? AND at < ?",
                    "DELETE FROM statement_plan WHERE cluster = ? AND last_seen < ?",
                    """
                    DELETE FROM statement_text t WHERE t.cluster = ? AND t.seen < ? AND (t.database, t.query) NOT IN (
                        SELECT u.database, u.query FROM statement_snapshot s, unnest(s.databases, s.queries) AS u (database, query)
                         WHERE s.cluster = t.cluster)
                    """)) {
                try (PreparedStatement delete = connection.prepareStatement(forget)) {
                    delete.setString(1, run.cluster());
                    delete.setTimestamp(2, Timestamp.from(notBefore));
                    delete.executeUpdate();
                }
            }
        });
    }

    private static void insert(Connection connection, String cluster, StatementSnapshot snapshot) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("""
                INSERT INTO statement_snapshot (cluster, node, series, at, evicted, whole, databases, queries, users, toplevel,
                                                since, calls, milliseconds, row_counts, blocks)
                SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
                 WHERE NOT EXISTS (SELECT FROM statement_snapshot WHERE cluster = ? AND node = ? AND series = ? AND at > ?)
                """)) {
            List<StatementCount> counts = snapshot.counts();
            insert.setString(1, cluster);
            insert.setString(2, snapshot.node());
            insert.setString(3, snapshot.series());
            insert.setTimestamp(4, Timestamp.from(snapshot.at()));
            insert.setLong(5, snapshot.evicted());
            insert.setBoolean(6, snapshot.whole());
            insert.setArray(
                    7,
                    array(
                            connection,
                            "bigint",
                            counts,
                            count -> count.key().name().database()));
            insert.setArray(
                    8,
                    array(
                            connection,
                            "bigint",
                            counts,
                            count -> count.key().name().query()));
            insert.setArray(
                    9, array(connection, "bigint", counts, count -> count.key().user()));
            insert.setArray(
                    10,
                    array(connection, "boolean", counts, count -> count.key().toplevel()));
            insert.setArray(11, array(connection, "text", counts, StatementCount::since));
            insert.setArray(12, array(connection, "bigint", counts, StatementCount::calls));
            insert.setArray(13, array(connection, "float8", counts, StatementCount::milliseconds));
            insert.setArray(14, array(connection, "bigint", counts, StatementCount::rows));
            insert.setArray(15, array(connection, "bigint", counts, StatementCount::blocks));
            insert.setString(16, cluster);
            insert.setString(17, snapshot.node());
            insert.setString(18, snapshot.series());
            insert.setTimestamp(19, Timestamp.from(snapshot.at().minus(APART)));
            insert.executeUpdate();
        }
    }

    private static void insert(
            Connection connection, String cluster, Map<StatementName, StatementText> texts, Instant at)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("""
                INSERT INTO statement_text (cluster, database, query, content, cut, seen) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """)) {
            for (Map.Entry<StatementName, StatementText> text : texts.entrySet()) {
                insert.setString(1, cluster);
                insert.setLong(2, text.getKey().database());
                insert.setLong(3, text.getKey().query());
                insert.setString(4, text.getValue().text());
                insert.setBoolean(5, text.getValue().cut());
                insert.setTimestamp(6, Timestamp.from(at));
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static <T> Array array(
            Connection connection, String type, List<StatementCount> counts, Function<StatementCount, T> value)
            throws SQLException {
        return connection.createArrayOf(type, counts.stream().map(value).toArray());
    }

    @Override
    public void keepPlans(RunContext run, Collection<KeptPlan> plans) {
        write(run, "plans of cluster " + run.cluster(), connection -> {
            try (PreparedStatement insert = connection.prepareStatement("""
                    INSERT INTO statement_plan (cluster, database, query, digest, content, first_seen, last_seen)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (cluster, database, query, digest)
                    DO UPDATE SET content = excluded.content, last_seen = excluded.last_seen
                    """)) {
                for (KeptPlan plan : plans) {
                    insert.setString(1, run.cluster());
                    insert.setLong(2, plan.query().database());
                    insert.setLong(3, plan.query().query());
                    insert.setString(4, plan.digest());
                    insert.setString(5, plan.text());
                    insert.setTimestamp(6, Timestamp.from(plan.first()));
                    insert.setTimestamp(7, Timestamp.from(plan.last()));
                    insert.addBatch();
                }
                insert.executeBatch();
            }
        });
    }

    /** Makes something of a row. */
    @FunctionalInterface
    private interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    private <T> List<T> read(String sql, String cluster, Row<T> reader) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, cluster);
            try (ResultSet row = statement.executeQuery()) {
                List<T> read = new ArrayList<>();
                while (row.next()) {
                    read.add(reader.of(row));
                }
                return read;
            }
        } catch (SQLException e) {
            throw SqlStates.failure("statements of cluster " + cluster + " not readable in the control database", e);
        }
    }

    /** What is done in one transaction of the run's owner. */
    @FunctionalInterface
    private interface Writing {
        void on(Connection connection) throws SQLException;
    }

    private void write(RunContext run, String what, Writing writing) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            Leases.check(connection, run.lease());
            writing.on(connection);
            connection.commit();
        } catch (SQLException e) {
            throw SqlStates.failure(what + " not kept in the control database", e);
        }
    }
}
