package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.NodeHistory.Watched;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.postgres.SqlStates;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The tables {@code index_watch}, {@code watched_relation} and {@code relation_activity} of the control database. */
public final class StoredIndexHistory implements IndexHistory {

    /** Rows at a time. */
    private static final int BATCH = 5_000;

    /** A node or a database that nobody has looked at for so long is forgotten. */
    private static final Duration ABANDONED = Duration.ofDays(60);

    private record Found(long watch, NodeHistory history) {}

    private final DataSource controlDatabase;

    public StoredIndexHistory(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    @Override
    public void keep(Lease owner, Place place, List<IndexSnapshot> snapshots, Duration window) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            Leases.check(connection, owner);
            for (IndexSnapshot snapshot : snapshots) {
                keep(connection, place, snapshot, window);
            }
            forget(connection, place.cluster(), snapshots, window);
            connection.commit();
        } catch (SQLException e) {
            throw SqlStates.failure(
                    "what the indexes of database " + place.database()
                            + " are used for not kept in the control database",
                    e);
        }
    }

    private static void keep(Connection connection, Place place, IndexSnapshot snapshot, Duration window)
            throws SQLException {
        Found found = found(connection, place, snapshot.node());
        NodeHistory.Step step =
                found == null ? NodeHistory.first(snapshot) : found.history().next(snapshot);
        long watch = watch(connection, place, snapshot.node(), step);
        try (PreparedStatement delete = connection.prepareStatement(
                        "DELETE FROM watched_relation WHERE watch = ? AND relation = ANY (?)");
                PreparedStatement move = connection.prepareStatement("""
                        UPDATE relation_activity a SET relation = s.next
                          FROM unnest(?::bigint[], ?::bigint[]) AS s (gone, next) WHERE a.watch = ? AND a.relation = s.gone
                        """);
                PreparedStatement old =
                        connection.prepareStatement("DELETE FROM relation_activity WHERE watch = ? AND at < ?")) {
            old.setLong(1, watch);
            old.setTimestamp(2, Timestamp.from(step.at().minus(window).minus(MARGIN)));
            old.executeUpdate();
            delete.setLong(1, watch);
            delete.setArray(2, connection.createArrayOf("bigint", step.gone().toArray()));
            delete.executeUpdate();
            move.setArray(
                    1,
                    connection.createArrayOf(
                            "bigint", step.successors().keySet().toArray()));
            move.setArray(
                    2,
                    connection.createArrayOf(
                            "bigint", step.successors().values().toArray()));
            move.setLong(3, watch);
            move.executeUpdate();
        }
        write(connection, watch, step);
    }

    /** Of a cluster that begins anew under its name. */
    public void forget(String cluster) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement delete = connection.prepareStatement("DELETE FROM index_watch WHERE cluster = ?")) {
            delete.setString(1, cluster);
            delete.executeUpdate();
        } catch (SQLException e) {
            throw SqlStates.failure("what the indexes of cluster " + cluster + " were used for not forgotten", e);
        }
    }

    private static @Nullable Found found(Connection connection, Place place, NodeAddress node) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT * FROM index_watch WHERE cluster = ? AND database = ? AND node = ? FOR UPDATE")) {
            statement.setString(1, place.cluster());
            statement.setString(2, place.database());
            statement.setString(3, node.toString());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                long watch = row.getLong("id");
                return new Found(
                        watch,
                        new NodeHistory(
                                new IndexSnapshot.Series(
                                        row.getString("part"),
                                        row.getLong("database_oid"),
                                        IndexSnapshotReader.instant(row, "reset_at"),
                                        IndexSnapshotReader.instant(row, "lost_at")),
                                row.getTimestamp("looked_at").toInstant(),
                                window(row),
                                relations(connection, watch)));
            }
        }
    }

    private static TrustWindow window(ResultSet row) throws SQLException {
        return new TrustWindow(row.getTimestamp("trusted_since").toInstant(), row.getString("because"));
    }

    private static Map<Long, Watched> relations(Connection connection, long watch) throws SQLException {
        Map<Long, Watched> relations = new HashMap<>();
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT * FROM watched_relation WHERE watch = ?")) {
            statement.setFetchSize(BATCH);
            statement.setLong(1, watch);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    relations.put(
                            row.getLong("relation"),
                            new Watched(
                                    new IndexSnapshot.Relation(
                                            row.getBoolean("is_index"),
                                            row.getLong("table_oid"),
                                            row.getLong("root"),
                                            row.getLong("filenode"),
                                            row.getLong("shape"),
                                            row.getLong("pages"),
                                            row.getLong("rows"),
                                            IndexSnapshotReader.instant(row, "last_scan"),
                                            counts(row)),
                                    row.getTimestamp("first_seen").toInstant(),
                                    IndexSnapshotReader.instant(row, "disturbed")));
                }
            }
        }
        return relations;
    }

    private static RelationCounts counts(ResultSet row) throws SQLException {
        return RelationCounts.of((Long[]) row.getArray("counts").getArray());
    }

    private static long watch(Connection connection, Place place, NodeAddress node, NodeHistory.Step step)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO index_watch (cluster, database, node, part, database_oid, reset_at, lost_at, looked_at,
                                         trusted_since, because)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (cluster, database, node) DO UPDATE
                SET part = excluded.part, database_oid = excluded.database_oid, reset_at = excluded.reset_at,
                    lost_at = excluded.lost_at, looked_at = excluded.looked_at, trusted_since = excluded.trusted_since,
                    because = excluded.because
                RETURNING id
                """)) {
            statement.setString(1, place.cluster());
            statement.setString(2, place.database());
            statement.setString(3, node.toString());
            statement.setString(4, step.series().part());
            statement.setLong(5, step.series().database());
            setInstant(statement, 6, step.series().reset());
            setInstant(statement, 7, step.series().lost());
            setInstant(statement, 8, step.at());
            setInstant(statement, 9, step.window().since());
            statement.setString(10, step.window().because());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong("id");
            }
        }
    }

    private static void setInstant(PreparedStatement statement, int place, @Nullable Instant time) throws SQLException {
        if (time == null) {
            statement.setNull(place, Types.TIMESTAMP_WITH_TIMEZONE);
        } else {
            statement.setTimestamp(place, Timestamp.from(time));
        }
    }

    private static void write(Connection connection, long watch, NodeHistory.Step step) throws SQLException {
        try (PreparedStatement relation = connection.prepareStatement("""
                        INSERT INTO watched_relation (watch, relation, is_index, table_oid, root, filenode, shape, pages, rows,
                                                      first_seen, disturbed, last_scan, counts)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        ON CONFLICT (watch, relation) DO UPDATE
                        SET is_index = excluded.is_index, table_oid = excluded.table_oid, root = excluded.root,
                            filenode = excluded.filenode, shape = excluded.shape, pages = excluded.pages, rows = excluded.rows,
                            first_seen = excluded.first_seen, disturbed = excluded.disturbed,
                            last_scan = excluded.last_scan, counts = excluded.counts
                        """);
                PreparedStatement activity = connection.prepareStatement(
                        "INSERT INTO relation_activity (watch, at, relation, counts) VALUES (?, ?, ?, ?)")) {
            int waiting = 0;
            for (Map.Entry<Long, Watched> changed : step.changed().entrySet()) {
                add(relation, watch, changed.getKey(), changed.getValue());
                if (++waiting % BATCH == 0) {
                    relation.executeBatch();
                }
            }
            relation.executeBatch();
            for (Map.Entry<Long, RelationCounts> counted : step.activity().entrySet()) {
                activity.setLong(1, watch);
                setInstant(activity, 2, step.at());
                activity.setLong(3, counted.getKey());
                activity.setArray(4, array(activity, counted.getValue()));
                activity.addBatch();
                if (++waiting % BATCH == 0) {
                    activity.executeBatch();
                }
            }
            activity.executeBatch();
        }
    }

    private static void add(PreparedStatement statement, long watch, long oid, Watched watched) throws SQLException {
        IndexSnapshot.Relation last = watched.last();
        statement.setLong(1, watch);
        statement.setLong(2, oid);
        statement.setBoolean(3, last.isIndex());
        statement.setLong(4, last.table());
        statement.setLong(5, last.root());
        statement.setLong(6, last.filenode());
        statement.setLong(7, last.shape());
        statement.setLong(8, last.pages());
        statement.setLong(9, last.rows());
        setInstant(statement, 10, watched.firstSeen());
        setInstant(statement, 11, watched.disturbed());
        setInstant(statement, 12, last.lastScan());
        statement.setArray(13, array(statement, last.counts()));
        statement.addBatch();
    }

    private static Array array(PreparedStatement statement, RelationCounts counts) throws SQLException {
        return statement.getConnection().createArrayOf("bigint", counts.toArray());
    }

    private static void forget(Connection connection, String cluster, List<IndexSnapshot> snapshots, Duration window)
            throws SQLException {
        Duration kept = window.plus(MARGIN);
        Optional<Instant> now = snapshots.stream().map(IndexSnapshot::at).max(Comparator.naturalOrder());
        if (now.isPresent()) {
            try (PreparedStatement statement =
                    connection.prepareStatement("DELETE FROM index_watch WHERE cluster = ? AND looked_at < ?")) {
                statement.setString(1, cluster);
                setInstant(statement, 2, now.get().minus(kept.compareTo(ABANDONED) < 0 ? ABANDONED : kept));
                statement.executeUpdate();
            }
        }
    }

    @Override
    public IndexActivity activity(Place place, Collection<NodeAddress> nodes, Instant now, Duration window) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            return new IndexActivity(
                    now,
                    window,
                    asked(connection, place, nodes),
                    relations(connection, place, nodes, now.minus(window)));
        } catch (SQLException e) {
            throw SqlStates.failure(
                    "what the indexes of database " + place.database()
                            + " were used for not readable in the control database",
                    e);
        }
    }

    private static Map<NodeAddress, IndexActivity.Node> asked(
            Connection connection, Place place, Collection<NodeAddress> nodes) throws SQLException {
        Map<NodeAddress, IndexActivity.Node> asked = new HashMap<>();
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT * FROM index_watch WHERE cluster = ? AND database = ?")) {
            statement.setString(1, place.cluster());
            statement.setString(2, place.database());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    String node = row.getString("node");
                    IndexActivity.Node known = new IndexActivity.Node(
                            window(row), row.getTimestamp("looked_at").toInstant());
                    nodes.stream()
                            .filter(address -> address.toString().equals(node))
                            .forEach(address -> asked.put(address, known));
                }
            }
        }
        return asked;
    }

    private static Map<Long, IndexActivity.Relation> relations(
            Connection connection, Place place, Collection<NodeAddress> nodes, Instant since) throws SQLException {
        Map<Long, IndexActivity.Relation> relations = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement("""
                WITH watch AS (SELECT id, node FROM index_watch WHERE cluster = ? AND database = ?),
                known AS (
                    SELECT r.relation, max(r.first_seen) AS first_seen, max(r.disturbed) AS disturbed, count(*)::integer AS nodes
                      FROM watched_relation r JOIN watch w ON w.id = r.watch WHERE w.node = ANY (?) GROUP BY r.relation),
                counted AS (
                    SELECT a.relation, ARRAY[sum(counts[1]), sum(counts[2]), sum(counts[3]), sum(counts[4]), sum(counts[5]),
                                             sum(counts[6]), sum(counts[7])]::bigint[] AS counts
                      FROM relation_activity a JOIN watch w ON w.id = a.watch WHERE a.at > ? GROUP BY a.relation)
                SELECT relation, first_seen, disturbed, coalesce(nodes, 0) AS nodes,
                       coalesce(counts, '{0,0,0,0,0,0,0}') AS counts
                  FROM known FULL JOIN counted USING (relation)
                """)) {
            statement.setFetchSize(BATCH);
            statement.setString(1, place.cluster());
            statement.setString(2, place.database());
            statement.setArray(
                    3,
                    connection.createArrayOf(
                            "text", nodes.stream().map(NodeAddress::toString).toArray()));
            setInstant(statement, 4, since);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    relations.put(
                            row.getLong("relation"),
                            new IndexActivity.Relation(
                                    counts(row),
                                    IndexSnapshotReader.instant(row, "first_seen"),
                                    IndexSnapshotReader.instant(row, "disturbed"),
                                    row.getInt("nodes")));
                }
            }
        }
        return relations;
    }
}
