package io.nightshift.scheduler.monitoring;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/** Asks the control database over a connection of its own: the pool waits for minutes when the database is away. */
public final class ControlDatabaseHealth implements HealthIndicator {

    private static final int ANSWER_SECONDS = 2;

    private final DataSource connections;

    public ControlDatabaseHealth(DataSource connections) {
        this.connections = connections;
    }

    @Override
    public Health health() {
        try (Connection connection = connections.getConnection()) {
            return connection.isValid(ANSWER_SECONDS)
                    ? Health.up().build()
                    : Health.down().withDetail("reason", "no answer").build();
        } catch (SQLException e) {
            return Health.down()
                    .withDetail("reason", String.valueOf(e.getMessage()))
                    .build();
        }
    }
}
