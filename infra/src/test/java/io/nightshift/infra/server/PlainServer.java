package io.nightshift.infra.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.awaitility.Awaitility;

/** A server as {@code pg_ctl start} starts it: with what its own files say, and nothing else. Closing it stops it. */
public final class PlainServer implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private final PgCtl control;
    private final String password;

    private PlainServer(PgCtl control, String password) {
        this.control = control;
        this.password = password;
    }

    public static PlainServer start(Path dataDirectory, PostgresBinaries binaries, String password) {
        return start(dataDirectory, binaries, password, Map.of());
    }

    /** The same with settings on its command line, where its own would do no good in a test. */
    public static PlainServer start(
            Path dataDirectory, PostgresBinaries binaries, String password, Map<String, String> settings) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("fsync", "off");
        var control = new PgCtl(binaries, ServerUser.of(dataDirectory), dataDirectory);
        Path log = dataDirectory.resolve("started.log");
        Command.Outcome outcome = control.start(all, log, LIMIT);
        if (!outcome.succeeded()) {
            try {
                throw new IllegalStateException(outcome.output() + Files.readString(log));
            } catch (IOException noLog) {
                throw new IllegalStateException(outcome.output(), noLog);
            }
        }
        var server = new PlainServer(control, password);
        try {
            // Where it cannot be read meanwhile, it refuses sessions until it is open.
            Awaitility.await()
                    .atMost(LIMIT)
                    .ignoreExceptionsInstanceOf(SQLException.class)
                    .until(() -> server.text("postgres", "SELECT pg_is_in_recovery()")
                            .equals("f"));
            return server;
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    public int port() {
        return PostmasterFile.read(control.dataDirectory()).orElseThrow().port();
    }

    /** The first column of the first row. */
    public String text(String database, String sql) throws SQLException {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    public void execute(String database, String sql) throws SQLException {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    public Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port() + "/" + database + "?sslmode=disable",
                PostgresServer.USERNAME,
                password);
    }

    @Override
    public void close() {
        control.askToStop("fast");
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> ServerProcesses.of(control.dataDirectory()).isEmpty());
    }
}
