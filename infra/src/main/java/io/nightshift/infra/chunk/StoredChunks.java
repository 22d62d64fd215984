package io.nightshift.infra.chunk;

import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.RunContext;
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
import javax.sql.DataSource;

/** The tables {@code chunk} and {@code covered_target} of the control database. */
public final class StoredChunks implements ChunkBook {

    private final DataSource controlDatabase;

    public StoredChunks(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    @Override
    public List<Chunk> chunks(RunContext run, String place) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT number, work, outcome FROM chunk WHERE run = ? AND place = ? ORDER BY number")) {
            statement.setLong(1, run.id().number());
            statement.setString(2, place);
            try (ResultSet row = statement.executeQuery()) {
                List<Chunk> chunks = new ArrayList<>();
                while (row.next()) {
                    chunks.add(new Chunk(row.getInt("number"), row.getString("work"), row.getString("outcome")));
                }
                return chunks;
            }
        } catch (SQLException e) {
            throw SqlStates.failure("chunks of run " + run.id() + " not readable in the control database", e);
        }
    }

    /** Also forgets the chunks of runs of the cluster that are completed: nobody restarts those. */
    @Override
    public void plan(RunContext run, String place, List<String> works) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            // A late plan of an owner that was taken for dead must not replace the one that is worked.
            Leases.check(connection, run.lease());
            try (PreparedStatement delete = connection.prepareStatement("""
                            DELETE FROM chunk WHERE run = ? AND place = ? OR run IN (
                                SELECT id FROM run WHERE cluster = ? AND state = 'completed')
                            """);
                    PreparedStatement insert = connection.prepareStatement("""
                            INSERT INTO chunk (run, number, place, work)
                            SELECT before.run, before.next + planned.number - 1, ?, planned.work
                              FROM unnest(?::text[]) WITH ORDINALITY AS planned (work, number),
                                   (SELECT ?::bigint AS run, coalesce(max(number) + 1, 0) AS next
                                      FROM chunk WHERE run = ?) AS before
                            """)) {
                delete.setLong(1, run.id().number());
                delete.setString(2, place);
                delete.setString(3, run.cluster());
                delete.executeUpdate();
                insert.setString(1, place);
                insert.setArray(2, connection.createArrayOf("text", works.toArray()));
                insert.setLong(3, run.id().number());
                insert.setLong(4, run.id().number());
                insert.executeUpdate();
            }
            connection.commit();
        } catch (SQLException e) {
            throw SqlStates.failure("chunks of run " + run.id() + " not planned in the control database", e);
        }
    }

    @Override
    public void finish(RunContext run, Map<Integer, String> outcomes) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement("""
                        UPDATE chunk SET outcome = finished.outcome
                          FROM unnest(?::int[], ?::text[]) AS finished (number, outcome)
                         WHERE run = ? AND chunk.number = finished.number AND chunk.outcome IS NULL
                        """)) {
            statement.setArray(
                    1, connection.createArrayOf("int4", outcomes.keySet().toArray()));
            statement.setArray(
                    2, connection.createArrayOf("text", outcomes.values().toArray()));
            statement.setLong(3, run.id().number());
            statement.executeUpdate();
        } catch (SQLException e) {
            throw SqlStates.failure(
                    "chunks " + outcomes.keySet() + " of run " + run.id() + " not finished in the control database", e);
        }
    }

    @Override
    public Map<String, Instant> covered(String cluster) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("SELECT target, at FROM covered_target WHERE cluster = ?")) {
            statement.setString(1, cluster);
            try (ResultSet row = statement.executeQuery()) {
                Map<String, Instant> covered = new HashMap<>();
                while (row.next()) {
                    covered.put(row.getString("target"), row.getTimestamp("at").toInstant());
                }
                return covered;
            }
        } catch (SQLException e) {
            throw SqlStates.failure("what was covered of cluster " + cluster + " not readable", e);
        }
    }

    /** Also forgets what nobody has covered for long: it was dropped, or renamed. */
    @Override
    public void cover(String cluster, Collection<String> targets, Instant at) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("""
                            INSERT INTO covered_target (cluster, target, at) SELECT ?, unnest(?::text[]), ?
                            ON CONFLICT (cluster, target) DO UPDATE SET at = greatest(covered_target.at, excluded.at)
                            """);
                    PreparedStatement delete = connection.prepareStatement(
                            "DELETE FROM covered_target WHERE cluster = ? AND at < ?::timestamptz - interval '400 days'")) {
                insert.setString(1, cluster);
                insert.setArray(
                        2,
                        connection.createArrayOf(
                                "text", targets.stream().distinct().sorted().toArray()));
                insert.setTimestamp(3, Timestamp.from(at));
                insert.executeUpdate();
                delete.setString(1, cluster);
                delete.setTimestamp(2, Timestamp.from(at));
                delete.executeUpdate();
            }
            connection.commit();
        } catch (SQLException e) {
            throw SqlStates.failure("what was covered of cluster " + cluster + " not kept", e);
        }
    }

    @Override
    public void forget(String cluster, Collection<String> targets) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "DELETE FROM covered_target WHERE cluster = ? AND target = ANY (?)")) {
            statement.setString(1, cluster);
            statement.setArray(2, connection.createArrayOf("text", targets.toArray()));
            statement.executeUpdate();
        } catch (SQLException e) {
            throw SqlStates.failure("what was dropped of cluster " + cluster + " not forgotten", e);
        }
    }
}
