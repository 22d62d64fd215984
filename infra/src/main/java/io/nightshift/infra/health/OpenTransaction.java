package io.nightshift.infra.health;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** A session with a transaction, as {@code pg_stat_activity} shows it. Its query is not told: it may hold secrets. */
record OpenTransaction(int pid, String role, String database, String application, Duration age) {

    /** Oldest first. */
    static List<OpenTransaction> since(HealthSession session, String column, String condition) throws SQLException {
        return session.query("""
                SELECT pid, coalesce(quote_ident(usename), 'unknown') AS role, coalesce(datname, '-') AS database,
                       coalesce(nullif(application_name, ''), 'without a name') AS application,
                       extract(epoch FROM clock_timestamp() - %1$s)::float8 AS age
                FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND %1$s IS NOT NULL AND %2$s
                ORDER BY age DESC
                """.formatted(column, condition), OpenTransaction::of);
    }

    private static OpenTransaction of(ResultSet row) throws SQLException {
        return new OpenTransaction(
                row.getInt("pid"),
                row.getString("role"),
                row.getString("database"),
                row.getString("application"),
                Objects.requireNonNull(HealthSession.seconds(row, "age")));
    }

    @Override
    public String toString() {
        return "process " + pid + " of role " + role + " in database " + database + " (application " + application
                + ")";
    }
}
