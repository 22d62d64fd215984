package io.nightshift.infra.health;

import io.nightshift.infra.postgres.SqlStates;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;

/** The table {@code counter_reading} of the control database. Thread-safe. */
public final class StoredReadings implements CounterReadings {

    private final DataSource controlDatabase;

    public StoredReadings(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    @Override
    public List<CounterReading> of(String cluster) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT node, series, at, names, counts FROM counter_reading WHERE cluster = ? ORDER BY at")) {
            statement.setString(1, cluster);
            try (ResultSet row = statement.executeQuery()) {
                List<CounterReading> readings = new ArrayList<>();
                while (row.next()) {
                    readings.add(new CounterReading(
                            row.getString("node"),
                            row.getString("series"),
                            row.getTimestamp("at").toInstant(),
                            counts(row.getArray("names"), row.getArray("counts"))));
                }
                return readings;
            }
        } catch (SQLException e) {
            throw SqlStates.failure("counters of cluster " + cluster + " not readable in the control database", e);
        }
    }

    private static Map<String, Long> counts(Array names, Array counts) throws SQLException {
        String[] name = (String[]) names.getArray();
        Long[] count = (Long[]) counts.getArray();
        Map<String, Long> both = new HashMap<>();
        for (int i = 0; i < name.length; i++) {
            both.put(name[i], count[i]);
        }
        return both;
    }

    /** Also forgets what was read long ago, of clusters that nobody looks at any more. */
    @Override
    public void keep(String cluster, List<CounterReading> readings) {
        try (Connection connection = controlDatabase.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement delete = connection.prepareStatement("""
                            DELETE FROM counter_reading
                            WHERE (cluster = ? AND (node, at) NOT IN (SELECT * FROM unnest(?::text[], ?::timestamptz[])))
                               OR at < clock_timestamp() - interval '60 days'
                            """);
                    PreparedStatement insert = connection.prepareStatement("""
                            INSERT INTO counter_reading (cluster, node, series, at, names, counts)
                            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                            """)) {
                delete.setString(1, cluster);
                delete.setArray(2, texts(connection, readings.stream().map(CounterReading::node)));
                delete.setArray(
                        3,
                        texts(
                                connection,
                                readings.stream().map(reading -> reading.at().toString())));
                delete.executeUpdate();
                for (CounterReading reading : readings) {
                    List<String> names = List.copyOf(reading.counts().keySet());
                    insert.setString(1, cluster);
                    insert.setString(2, reading.node());
                    insert.setString(3, reading.series());
                    insert.setTimestamp(4, Timestamp.from(reading.at()));
                    insert.setArray(5, texts(connection, names.stream()));
                    insert.setArray(
                            6,
                            connection.createArrayOf(
                                    "bigint",
                                    names.stream().map(reading.counts()::get).toArray()));
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            connection.commit();
        } catch (SQLException e) {
            throw SqlStates.failure("counters of cluster " + cluster + " not kept in the control database", e);
        }
    }

    private static Array texts(Connection connection, Stream<String> texts) throws SQLException {
        return connection.createArrayOf("text", texts.toArray());
    }
}
