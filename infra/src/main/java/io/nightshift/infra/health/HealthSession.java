package io.nightshift.infra.health;

import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A session in one database of one node, and what a check needs besides to judge. Its queries only read, and end after the
 * limits of the settings.
 *
 * @param facts of the server, seen from this database
 */
record HealthSession(
        Connection connection,
        ServerFacts facts,
        NodeCounters counters,
        Answered node,
        ObservedCluster cluster,
        HealthSettings settings,
        Clock clock) {

    /** Makes something of a row. */
    @FunctionalInterface
    interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    /** How much longer than its query's limit an answer may take before the server counts as hanging. */
    private static final Duration SILENCE = Duration.ofSeconds(5);

    /** Readies a session: nothing is written, nothing runs or waits for long, nobody's own objects are called. */
    static void limit(Connection connection, HealthSettings settings) throws SQLException {
        connection.setNetworkTimeout(
                Runnable::run,
                Math.toIntExact(settings.queryLimit().plus(SILENCE).toMillis()));
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET statement_timeout = " + settings.queryLimit().toMillis()
                    + "; SET lock_timeout = " + settings.lockLimit().toMillis()
                    + "; SET default_transaction_read_only = on; SET search_path = pg_catalog"
                    + "; SET max_parallel_workers_per_gather = 0; SET jit = off");
        }
    }

    <T> List<T> query(String sql, Row<T> reader, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                List<T> read = new ArrayList<>();
                while (rows.next()) {
                    read.add(reader.of(rows));
                }
                return read;
            }
        }
    }

    /** Of a query that has exactly one row. */
    <T> T single(String sql, Row<T> reader, Object... parameters) throws SQLException {
        return query(sql, reader, parameters).get(0);
    }

    /** Seconds with decimals; null where the column is. */
    static @Nullable Duration seconds(ResultSet row, String column) throws SQLException {
        double seconds = row.getDouble(column);
        return row.wasNull() ? null : Duration.ofMillis(Math.round(seconds * 1000));
    }

    String database() {
        return facts.database();
    }

    /** Who is logged in, as an identifier of SQL. */
    String role() {
        return facts.role().identifier();
    }

    /** The node, as findings name it. */
    String address() {
        return node.node().toString();
    }

    /** The present database, as findings name it. */
    String inDatabase() {
        return " in database " + database();
    }
}
