package io.nightshift.infra.replication;

import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/** Replication connections to test servers, and questions to these servers. */
final class Connections {

    private Connections() {}

    static ReplicationConnection open(TestPostgres postgres, String purpose) {
        return open(postgres, postgres.username(), postgres.password(), purpose);
    }

    static ReplicationConnection open(TestPostgres postgres, String username, String password, String purpose) {
        return ReplicationConnection.open(postgres.url("postgres"), properties(username, password), purpose);
    }

    static Properties properties(String username, String password) {
        Properties properties = new Properties();
        properties.setProperty("user", username);
        properties.setProperty("password", password);
        return properties;
    }

    static String query(TestPostgres postgres, String database, String sql) throws SQLException {
        try (Connection connection = postgres.connect(database);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** How many walsenders work for connections of this purpose. */
    static int walsenders(TestPostgres postgres, String purpose) throws SQLException {
        return (int) postgres.number(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name = 'nightshift "
                        + purpose + "'");
    }
}
