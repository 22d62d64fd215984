package io.nightshift.infra.lease;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * The table {@code lease} of the control database. A lease does not end by time: it ends when its owner releases it, or
 * when somebody who knows that the owner is dead takes it over with a greater token. Thread-safe.
 */
public final class Leases {

    private final DataSource controlDatabase;

    public Leases(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    /** Takes a lease that nobody holds; empty if somebody does, even the same owner. */
    public Optional<Lease> take(String name, String owner) {
        return one("""
                INSERT INTO lease (name, owner, token) VALUES (?, ?, nextval('lease_token'))
                ON CONFLICT (name) DO NOTHING
                RETURNING name, owner, token
                """, name, owner);
    }

    /** Takes over from an owner that the caller knows to be dead; empty if somebody else was quicker. */
    public Optional<Lease> takeOver(Lease dead, String owner) {
        return one("""
                UPDATE lease SET owner = ?, token = nextval('lease_token'), taken_at = clock_timestamp()
                WHERE name = ? AND token = ?
                RETURNING name, owner, token
                """, owner, dead.name(), dead.token());
    }

    public Optional<Lease> holder(String name) {
        return one("SELECT name, owner, token FROM lease WHERE name = ?", name);
    }

    /**
     * The last thing before an act: throws REFUSED unless the lease is still held. In the transaction of the given
     * connection the lease cannot change hands until commit.
     */
    public static void check(Connection transaction, Lease lease) throws SQLException {
        try (PreparedStatement statement =
                transaction.prepareStatement("SELECT FROM lease WHERE name = ? AND token = ? FOR UPDATE")) {
            bind(statement, lease.name(), lease.token());
            try (ResultSet found = statement.executeQuery()) {
                if (!found.next()) {
                    throw lost(lease);
                }
            }
        }
    }

    /** As {@link #check(Connection, Lease)}, in a connection of its own. */
    public void check(Lease lease) {
        Lease now = holder(lease.name()).orElseThrow(() -> lost(lease));
        if (now.token() != lease.token()) {
            throw lost(lease);
        }
    }

    /** Gives a lease up; harmless when it is lost already. */
    public void release(Lease lease) {
        try (Connection connection = controlDatabase.getConnection()) {
            release(connection, lease);
        } catch (SQLException e) {
            throw SqlStates.failure("lease " + lease.name() + " not released", e);
        }
    }

    /** As {@link #release(Lease)}, in the transaction of the given connection. */
    public static void release(Connection transaction, Lease lease) throws SQLException {
        try (PreparedStatement statement =
                transaction.prepareStatement("DELETE FROM lease WHERE name = ? AND token = ?")) {
            bind(statement, lease.name(), lease.token());
            statement.executeUpdate();
        }
    }

    private Optional<Lease> one(String sql, Object... values) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, values);
            try (ResultSet row = statement.executeQuery()) {
                return row.next()
                        ? Optional.of(new Lease(row.getString("name"), row.getString("owner"), row.getLong("token")))
                        : Optional.empty();
            }
        } catch (SQLException e) {
            throw SqlStates.failure("lease " + values[0] + " not readable in the control database", e);
        }
    }

    private static void bind(PreparedStatement statement, Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
    }

    private static NightshiftException lost(Lease lease) {
        return new NightshiftException(
                FailureKind.REFUSED,
                "lease " + lease.name() + " with token " + lease.token() + " is no longer held by " + lease.owner(),
                "another Nightshift node took it over; what this one was about to do was not done");
    }
}
