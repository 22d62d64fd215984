package io.nightshift.jobs.integrity;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Timings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session that only reads, sees every row or fails, and waits long for nobody. Each statement is a transaction of its own,
 * and sees what is there when it begins.
 */
public final class CheckSession implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CheckSession.class);

    private static final String PREAMBLE = String.join(
            "; ",
            "SET default_transaction_read_only = on",
            "SET default_transaction_isolation = 'read committed'",
            // A policy would hide rows: an error is better.
            "SET row_security = off",
            "SET search_path = pg_catalog",
            "SET lock_timeout = '2s'",
            "SET idle_in_transaction_session_timeout = '60s'",
            "SET idle_session_timeout = 0",
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'",
            "SET max_parallel_workers_per_gather = 0",
            "SET jit = off",
            // What is to be found is what the constraints say cannot be.
            "SET constraint_exclusion = off",
            "SET enable_seqscan = on",
            "SET enable_tidscan = on");

    /** With one of these on, a damaged page reads as an empty one. */
    private static final String HIDES_DAMAGE = """
            SELECT name FROM pg_settings WHERE name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND setting = 'on'
            """;

    private final Connection connection;
    private final Cancellation cancellation;
    private final long opened = System.nanoTime();

    private CheckSession(Connection connection, Cancellation cancellation) {
        this.connection = connection;
        this.cancellation = cancellation;
    }

    public static CheckSession of(Connection connection, Cancellation cancellation) throws SQLException {
        var session = new CheckSession(connection, cancellation);
        boolean ready = false;
        try {
            session.execute(PREAMBLE);
            session.seeDamage();
            ready = true;
            return session;
        } finally {
            if (!ready) {
                session.close();
            }
        }
    }

    private void seeDamage() throws SQLException {
        for (List<@Nullable String> setting : rows(HIDES_DAMAGE)) {
            try {
                execute("SET " + setting.get(0) + " = off");
            } catch (SQLException refused) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        setting.get(0) + " is on for our sessions, so that damaged pages pass for empty ones",
                        "turn it off for the server, the database and our role",
                        refused);
            }
        }
    }

    /** Whether the server has ended it. */
    boolean isClosed() throws SQLException {
        return connection.isClosed();
    }

    /** The process that serves it. */
    public int process() throws SQLException {
        return Integer.parseInt(text("SELECT pg_backend_pid()").orElseThrow());
    }

    public void limit(Duration statement) throws SQLException {
        execute(limiting(statement));
    }

    /** The statement that limits those after it. */
    static String limiting(Duration statement) {
        return "SET statement_timeout = " + Math.max(1, statement.toMillis());
    }

    /** Every row of the last one of these statements, as texts; they go to the server together. */
    @SuppressWarnings("try") // the registration is held, not used
    public List<List<@Nullable String>> rows(String sql) throws SQLException {
        cancellation.check();
        try (Statement statement = statement();
                Cancellation.Registration freeing = cancellation.onCancel(() -> cancel(statement))) {
            List<List<@Nullable String>> rows = List.of();
            boolean isResult = statement.execute(sql);
            while (isResult || statement.getUpdateCount() != -1) {
                if (isResult) {
                    rows = texts(statement.getResultSet());
                }
                isResult = statement.getMoreResults();
            }
            return rows;
        }
    }

    private static List<List<@Nullable String>> texts(ResultSet result) throws SQLException {
        List<List<@Nullable String>> rows = new ArrayList<>();
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<@Nullable String> row = new ArrayList<>();
            for (int column = 1; column <= columns; column++) {
                row.add(result.getString(column));
            }
            rows.add(row);
        }
        return rows;
    }

    /** The text in the first row and column; empty if there is no row. */
    public Optional<String> text(String sql) throws SQLException {
        return rows(sql).stream().map(row -> Objects.requireNonNull(row.get(0))).findFirst();
    }

    public void execute(String sql) throws SQLException {
        cancellation.check();
        try (Statement statement = statement()) {
            statement.execute(sql);
        }
    }

    /** What is asked has braces and question marks of its own, in names and in expressions of the schema. */
    private Statement statement() throws SQLException {
        Statement statement = connection.createStatement();
        statement.setEscapeProcessing(false);
        return statement;
    }

    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException over) {
            LOG.debug("statement not cancelled: {}", over.getMessage());
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        Timings.spent(Timings.Kind.SQL, Duration.ofNanos(System.nanoTime() - opened));
    }
}
