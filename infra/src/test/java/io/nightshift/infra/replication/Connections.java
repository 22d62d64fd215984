package io.nightshift.infra.replication;

import io.nightshift.infra.server.TestPostgres;
import java.util.Properties;

/** Replication connections to test servers, and how many of them there are. */
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

    /** How many walsenders work for connections of this purpose. */
    static int walsenders(TestPostgres postgres, String purpose) {
        return (int) postgres.number(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name = 'nightshift "
                        + purpose + "'");
    }
}
