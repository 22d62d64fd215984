package io.nightshift.infra.schema;

import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The tables {@code seen_schema} and {@code accepted_schema} of the control database. */
public final class StoredSchemas implements SchemaBook {

    private static final String NEWEST = """
            FROM seen_schema s
            WHERE s.cluster = ? AND s.run = (
                SELECT max(before.run) FROM seen_schema before JOIN run r ON r.id = before.run AND r.state = 'completed'
                 WHERE r.job = ? AND before.cluster = s.cluster AND before.database = s.database AND before.run <> ?)
              AND s.content IS NOT NULL
            """;

    private static final String UNDEFINED_TABLE = "42P01";

    private final DataSource controlDatabase;

    public StoredSchemas(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    @Override
    public Optional<KeptSchema> seenBefore(RunContext run, String database) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT content, at, 'run ' || run AS by " + NEWEST + " AND s.database = ?")) {
            setNewest(statement, run);
            statement.setString(4, database);
            return kept(statement, database);
        } catch (SQLException e) {
            throw SqlStates.failure("what was seen of the schema of database " + database + " not readable", e);
        }
    }

    @Override
    public Set<String> databasesSeenBefore(RunContext run) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement("SELECT s.database " + NEWEST)) {
            setNewest(statement, run);
            return databases(statement);
        } catch (SQLException e) {
            throw SqlStates.failure("databases of cluster " + run.cluster() + " seen before not readable", e);
        }
    }

    private static void setNewest(PreparedStatement statement, RunContext run) throws SQLException {
        statement.setString(1, run.cluster());
        statement.setString(2, run.job());
        statement.setLong(3, run.id().number());
    }

    private static Set<String> databases(PreparedStatement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery()) {
            Set<String> databases = new TreeSet<>();
            while (row.next()) {
                databases.add(row.getString("database"));
            }
            return databases;
        }
    }

    @Override
    public Optional<KeptSchema> seenBy(long run, String cluster, String database) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement("""
                        SELECT content, at, 'run ' || run AS by FROM seen_schema
                         WHERE run = ? AND cluster = ? AND database = ? AND content IS NOT NULL
                        """)) {
            statement.setLong(1, run);
            statement.setString(2, cluster);
            statement.setString(3, database);
            return kept(statement, database);
        } catch (SQLException e) {
            if (UNDEFINED_TABLE.equals(e.getSQLState())) {
                return Optional.empty();
            }
            throw SqlStates.failure(
                    "what run " + run + " saw of the schema of database " + database + " not readable", e);
        }
    }

    @Override
    public void saw(RunContext run, String database, Schema schema, Instant at) {
        keep(run, database, SchemaDocument.write(schema), at);
    }

    @Override
    public void sawNone(RunContext run, String database, Instant at) {
        keep(run, database, null, at);
    }

    /** Also forgets what is older than what the next run of the job compares with. */
    private void keep(RunContext run, String database, byte @Nullable [] content, Instant at) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            Leases.check(connection, run.lease());
            try (PreparedStatement delete = connection.prepareStatement("""
                            DELETE FROM seen_schema s USING run old
                             WHERE old.id = s.run AND old.job = ? AND s.cluster = ? AND s.database = ? AND s.run < (
                                SELECT max(newer.run) FROM seen_schema newer JOIN run r ON r.id = newer.run AND r.state = 'completed'
                                 WHERE r.job = old.job AND newer.cluster = s.cluster AND newer.database = s.database
                                   AND newer.run <> ?)
                            """);
                    PreparedStatement insert = connection.prepareStatement("""
                            INSERT INTO seen_schema (cluster, database, run, at, content) VALUES (?, ?, ?, ?, ?)
                            ON CONFLICT (cluster, database, run) DO UPDATE SET at = excluded.at, content = excluded.content
                            """)) {
                delete.setString(1, run.job());
                delete.setString(2, run.cluster());
                delete.setString(3, database);
                delete.setLong(4, run.id().number());
                delete.executeUpdate();
                insert.setString(1, run.cluster());
                insert.setString(2, database);
                insert.setLong(3, run.id().number());
                insert.setTimestamp(4, Timestamp.from(at));
                insert.setBytes(5, content);
                insert.executeUpdate();
            }
            connection.commit();
        } catch (SQLException e) {
            throw SqlStates.failure(
                    "what was seen of the schema of database " + database + " not kept in the control database", e);
        }
    }

    @Override
    public Optional<KeptSchema> accepted(String cluster, String database) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT content, at, by FROM accepted_schema WHERE cluster = ? AND database = ?")) {
            statement.setString(1, cluster);
            statement.setString(2, database);
            return kept(statement, database);
        } catch (SQLException e) {
            if (UNDEFINED_TABLE.equals(e.getSQLState())) {
                return Optional.empty(); // a control database that nothing has run on yet
            }
            throw SqlStates.failure(
                    "accepted schema of database " + database + " of cluster " + cluster + " not readable", e);
        }
    }

    @Override
    public Set<String> databasesAccepted(String cluster) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("SELECT database FROM accepted_schema WHERE cluster = ?")) {
            statement.setString(1, cluster);
            return databases(statement);
        } catch (SQLException e) {
            if (UNDEFINED_TABLE.equals(e.getSQLState())) {
                return Set.of();
            }
            throw SqlStates.failure("accepted schemas of cluster " + cluster + " not readable", e);
        }
    }

    private static Optional<KeptSchema> kept(PreparedStatement statement, String database) throws SQLException {
        try (ResultSet row = statement.executeQuery()) {
            return row.next()
                    ? Optional.of(new KeptSchema(
                            document(row.getBytes("content"), database, row.getString("by")),
                            row.getTimestamp("at").toInstant(),
                            row.getString("by")))
                    : Optional.empty();
        }
    }

    private static Schema document(byte[] content, String database, String by) {
        try {
            return SchemaDocument.read(content);
        } catch (RuntimeException damaged) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "what the control database keeps of the schema of database " + database + " (by " + by
                            + ") is not readable: "
                            + String.valueOf(damaged.getMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse(""),
                    null,
                    damaged);
        }
    }

    @Override
    public void accept(String cluster, String database, KeptSchema schema) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement("""
                        INSERT INTO accepted_schema (cluster, database, at, by, content) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (cluster, database) DO UPDATE
                        SET at = excluded.at, by = excluded.by, content = excluded.content
                        """)) {
            statement.setString(1, cluster);
            statement.setString(2, database);
            statement.setTimestamp(3, Timestamp.from(schema.at()));
            statement.setString(4, schema.by());
            statement.setBytes(5, SchemaDocument.write(schema.schema()));
            statement.executeUpdate();
        } catch (SQLException e) {
            throw SqlStates.failure("schema of database " + database + " of cluster " + cluster + " not accepted", e);
        }
    }

    @Override
    public boolean acceptNoMore(String cluster, String database) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("DELETE FROM accepted_schema WHERE cluster = ? AND database = ?")) {
            statement.setString(1, cluster);
            statement.setString(2, database);
            return statement.executeUpdate() > 0;
        } catch (SQLException e) {
            throw SqlStates.failure(
                    "accepted schema of database " + database + " of cluster " + cluster + " not forgotten", e);
        }
    }
}
